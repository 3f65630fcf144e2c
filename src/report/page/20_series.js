// Curves as numbers: where they stand, how they are smoothed, what runs that differ in their seed alone have in common.

// The key = value lines of a job's text: [{section, key, value}], lines that go on joined.
function jobEntries(text) {
  const entries = [];
  let at = '';
  for (const line of (text || '').split('\n')) {
    const head = line.match(/^\[(.*)\]\s*$/), entry = line.match(/^([^\s;#][^=]*?)\s*=\s*(.*)$/);
    if (head) at = head[1];
    else if (entry) entries.push({section: at, key: entry[1], value: entry[2]});
    else if (/^\s+\S/.test(line) && entries.length) entries[entries.length - 1].value += ' ' + line.trim();
  }
  return entries;
}

for (const run of runs) {
  run.entries = jobEntries(run.job);
  // Same in two runs: they are one job, but for its seed and what it is called.
  const rest = run.entries.filter(e => !(e.section === 'job' && ['seed', 'name', 'output'].includes(e.key)));
  run.sameAs = run.job ? rest.map(e => `${e.section}\n${e.key}\n${e.value}`).join('\n') : null;
}

// Runs side by side: [{name, runs: [..]}], those of one job but for the seed together.
function groupRuns(together) {
  const groups = [];
  for (const run of runs) {
    const same = together && run.sameAs ? groups.find(group => group.key === run.sameAs) : null;
    if (same) same.runs.push(run);
    else groups.push({key: run.sameAs, runs: [run]});
  }
  groups.forEach((group, i) => {
    group.name = group.runs.length === 1 ? group.runs[0].name : `${group.runs[0].name} and ${group.runs.length - 1} other seed${group.runs.length > 2 ? 's' : ''}`;
    group.colour = colourOf(i);
  });
  return groups;
}

// y of x[]: between neighbours on a line; null outside, and where there is nothing beside it.
function interpolate(xs, ys, x) {
  let low = 0, high = xs.length - 1;
  if (!xs.length || x < xs[0] || x > xs[high]) return null;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  if (xs[low] === x || low === high) return ys[low];
  if (xs[high] === x) return ys[high];
  if (ys[low] === null || ys[high] === null) return null;
  return ys[low] + (ys[high] - ys[low]) * (x - xs[low]) / (xs[high] - xs[low]);
}

// Where the points of a curve stand: axis is 'step', 'epoch' or 'time', in hours.
function positions(run, curve, axis) {
  if (axis === 'step') return curve.step;
  if (axis === 'epoch') return curve.step.map(step => interpolate(run.clock.step, run.clock.epoch, step));
  // Not every line says when it was written: a validation is as late as the step before it.
  const told = run.clock.time.map((t, i) => i).filter(i => run.clock.time[i] !== null);
  const steps = told.map(i => run.clock.step[i]), times = told.map(i => run.clock.time[i]);
  return curve.step.map(step => {
    const t = interpolate(steps, times, Math.min(step, steps[steps.length - 1]));
    return t === null ? null : t / 3600;
  });
}

// An exponential moving average without its bias to 0, as TensorBoard's; gaps stay.
function smooth(values, weight) {
  if (!weight) return values;
  let sum = 0, norm = 0;
  return values.map(v => {
    if (v === null) return null;
    sum = weight * sum + (1 - weight) * v;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}

// Points that have a place, by rising x; of several at one x the last.
function placed(xs, ys) {
  const points = new Map();
  xs.forEach((x, i) => { if (x !== null) points.set(x, ys[i]); });
  const sorted = [...points.keys()].sort((a, b) => a - b);
  return {x: sorted, y: sorted.map(x => points.get(x))};
}

// Mean and standard deviation of several curves wherever all have a value.
function spread(lines) {
  const xs = [...new Set(lines.flatMap(line => line.x))].sort((a, b) => a - b);
  const out = {x: [], y: [], low: [], high: []};
  for (const x of xs) {
    const values = lines.map(line => interpolate(line.x, line.y, x));
    if (values.some(v => v === null)) continue;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1);
    out.x.push(x);
    out.y.push(mean);
    out.low.push(mean - Math.sqrt(variance));
    out.high.push(mean + Math.sqrt(variance));
  }
  return out;
}

// In which picture a curve belongs: its title, and what it is called there.
function placeOf(curve) {
  const name = curve.name;
  if (!curve.validate && /(^|\.)loss$/.test(name)) return {title: 'loss', part: name.replace(/\.?loss$/, '')};
  if (!curve.validate && /(^|\.)lr$/.test(name)) return {title: 'learning rate', part: name.replace(/\.?lr$/, '')};
  if (name === 'img_per_s') return {title: 'images per second', part: ''};
  if (/_share(_max|_min)?$/.test(name)) return null;
  return {title: name, part: ''};
}

// All pictures, in the order of reading: losses, measures with the best first, what is not measured.
function listCharts() {
  const titles = new Map();
  for (const run of runs)
    for (const curve of run.curves) {
      const place = placeOf(curve);
      if (place) titles.set(place.title, Math.max(titles.get(place.title) || 0, curve.validate ? 1 : 0));
    }
  const best = runs.map(run => run.best && run.best.measure).find(Boolean);
  const rank = title => title === 'loss' ? 0 : title === best ? 1 : titles.get(title) ? 2 : title === 'learning rate' ? 3 : 4;
  return [...titles.keys()].sort((a, b) => rank(a) - rank(b));
}
