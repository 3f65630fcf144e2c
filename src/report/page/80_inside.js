// What goes on inside: histograms of tensors, where time goes, what ranks wait for.

// --- histograms ---

function tensorName(tensor) {
  return `${tensor.net ? `${tensor.net}.` : ''}${tensor.name}`;
}

// The lines that hold a tensor, with it: [{epoch, tensor}].
function timesOf(run, kind, name) {
  return run.histograms.map(line => ({epoch: line.epoch, tensor: line.tensors.find(t => t.kind === kind && tensorName(t) === name)}))
    .filter(time => time.tensor);
}

// Counts of all times over bins of one range: each own bin is spread over those it covers.
function commonBins(times, n) {
  const min = Math.min(...times.map(t => t.tensor.min)), max = Math.max(...times.map(t => t.tensor.max));
  const width = (max - min) / n || 1;
  const rows = times.map(({tensor}) => {
    const out = new Array(n).fill(0), total = tensor.counts.reduce((a, b) => a + b, 0) || 1;
    const own = (tensor.max - tensor.min) / tensor.counts.length;
    tensor.counts.forEach((count, i) => {
      const begin = (tensor.min + i * own - min) / width, end = Math.max(begin + own / width, begin + 1e-9);
      for (let k = Math.floor(begin); k < end && k < n; k++)
        out[k] += count / total * Math.max(Math.min(end, k + 1) - Math.max(begin, k), 0) / (end - begin);
    });
    return out;
  });
  return {rows, min, width};
}

function drawHistogram(place, run, kind, name) {
  const times = timesOf(run, kind, name).filter(t => t.tensor.counts && Number.isFinite(t.tensor.min) && Number.isFinite(t.tensor.max));
  if (!times.length) {
    place.append(el('p', {class: 'note'}, 'No finite numbers.'));
    return;
  }
  const {rows, min, width} = commonBins(times, 64);
  addHeat(place, {
    label: `${name} (${kind}): a row for each time, darker where values are rarer; the square root of the share is shown`,
    rows: rows.length, columns: 64, value: (i, k) => Math.sqrt(rows[i][k]), rowName: i => brief(times[i].epoch), columnName: k => brief(min + (k + 0.5) * width),
    text: (i, k) => `epoch ${fmt(times[i].epoch)}: ${percent(rows[i][k])} from ${fmt(min + k * width)} to ${fmt(min + (k + 1) * width)}; ` +
      `mean ${fmt(times[i].tensor.mean)}, std ${fmt(times[i].tensor.std)}, zeros ${percent(times[i].tensor.zeros)}` +
      `${times[i].tensor.not_finite ? `, ${fmt(times[i].tensor.not_finite)} not finite` : ''}`,
    hint: 'Point at a cell to read it.',
  });
}

function drawDead(place, run) {
  const names = [...new Set(run.histograms.flatMap(line => line.tensors.filter(t => typeof t.dead === 'number').map(tensorName)))];
  if (!names.length) return;
  const lines = names.map((name, i) => {
    const times = timesOf(run, 'activation', name);
    return {label: name, colour: colourOf(i), dash: i >= palette.length ? [6, 4] : null, x: times.map(t => t.epoch), y: times.map(t => t.tensor.dead ?? null)};
  });
  drawChart(place.appendChild(el('div', {class: 'chart'})), {title: `dead units of ${run.name}`, xLabel: 'epoch', yLabel: '', lines, yRange: [0, 1]});
}

function showHistograms() {
  const which = runs.filter(run => run.histograms && run.histograms.some(line => line.tensors && line.tensors.length));
  if (!which.length) return;
  const node = section('histograms', 'Histograms', 'Weights, gradients and activations over time, layer by layer.');
  perRun(node, which, (place, run) => {
    const kinds = [...new Set(run.histograms.flatMap(line => line.tensors.map(t => t.kind)))];
    const inner = el('div'), layers = el('span');
    let kind = kinds[0];
    const pick = () => {
      const names = [...new Set(run.histograms.flatMap(line => line.tensors.filter(t => t.kind === kind).map(tensorName)))];
      const draw = i => drawHistogram(clear(inner), run, kind, names[i]);
      clear(layers).append(choice('layer', names, draw));
      draw(0);
    };
    place.append(el('div', {class: 'bar'}, choice('kind', kinds, i => { kind = kinds[i]; pick(); }), layers), inner);
    pick();
    drawDead(place, run);
  });
}

// --- time ---

const timeParts = [['data', 'waiting for data'], ['forward', 'forward'], ['backward', 'backward'], ['optimizer', 'optimiser'], ['other', 'other']];

// Parts on top of each other, each as a band above the last; what is missing to 1 is communication. Runs that wrote no
// parts have communication alone, since they began.
function drawTime(place, run) {
  const lines = [];
  let below = null;
  const add = (label, colour, own) => {
    const low = own.x.map((x, i) => below ? below[i] || 0 : 0), high = own.y.map((y, i) => y === null ? null : y + low[i]);
    lines.push({label, colour, x: own.x, y: high, low, high, stacked: own.y});
    below = high;
  };
  const curveOf = key => run.curves.find(c => c.name === `${key}_share`);
  const points = curve => placed(positions(run, curve, 'epoch'), curve.value);
  timeParts.forEach(([key, label], i) => { if (curveOf(key)) add(label, colourOf(i), points(curveOf(key))); });
  const comm = curveOf('comm');
  if (comm && below) add('communication', colourOf(timeParts.length), {x: lines[0].x, y: below.map(y => y === null ? null : Math.max(1 - y, 0))});
  else if (comm) add('communication', colourOf(timeParts.length), points(comm));
  drawChart(place.appendChild(el('div', {class: 'chart wide'})), {title: `where a step's time goes, ${run.name}`, xLabel: 'epoch', yLabel: '', lines, yRange: [0, 1]});
}

// The table of all ranks at the end, as it was printed.
function drawPhases(place, run) {
  if (run.curves.some(c => /^(data|forward|backward|comm)_share$/.test(c.name))) drawTime(place, run);
  if (run.phases) place.append(el('pre', {class: 'phases'}, String(run.phases)));
}

function showTime() {
  const which = runs.filter(run => run.phases || run.curves.some(c => /^(data|forward|backward|comm)_share$/.test(c.name)));
  if (!which.length) return;
  const node = section('time', 'Where time goes', 'Shares of the time of a step, on rank 0, on top of each other; and at the end seconds of all ranks.');
  perRun(node, which, drawPhases);
}

// --- ranks ---

const rankKinds = [['compute_s', 'computing'], ['wait_s', 'waiting for other ranks'], ['data_s', 'waiting for data']];

function showRanks() {
  const which = runs.filter(run => run.ranks_log);
  if (!which.length) return;
  const node = section('ranks', 'Ranks', 'Mean milliseconds of a step, a row for each rank: a slow rank computes while others wait for it.');
  perRun(node, which, (place, run) => {
    const log = run.ranks_log, inner = el('div');
    const draw = i => {
      const [key, label] = rankKinds[i];
      addHeat(clear(inner), {
        label, rows: run.ranks, columns: log.step.length, unit: ' ms', rowName: rank => rank, columnName: k => brief(log.epoch[k]),
        value: (rank, k) => { const v = log[key][k][rank]; return v === null || v === undefined ? null : 1000 * v; },
        text: (rank, k) => `rank ${rank}${run.hosts ? ` on ${run.hosts[rank]}` : ''}, epoch ${fmt(log.epoch[k])}: ` +
          rankKinds.map(([of, name]) => `${name} ${log[of][k][rank] === null || log[of][k][rank] === undefined ? '–' : fmt(1000 * log[of][k][rank])} ms`).join(', '),
        hint: 'Point at a cell to read it.',
      });
    };
    place.append(choice('show', rankKinds.map(kind => kind[1]), draw), inner);
    draw(0);
  });
}
