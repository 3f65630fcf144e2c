// Tables of the validation: confusion, calibration, ROC, scatter, and any other.

// The word that a statement of [validate] ends in: 'confusion' of "logits | confusion(label)".
function wordOf(run, name) {
  const entry = run.entries.find(e => e.section === 'validate' && e.key === name);
  if (!entry) return name;
  let depth = 0, at = 0;
  for (let i = 0; i < entry.value.length; i++) {
    depth += '(['.includes(entry.value[i]) ? 1 : ')]'.includes(entry.value[i]) ? -1 : 0;
    if (entry.value[i] === '|' && depth === 0) at = i + 1;
  }
  const word = entry.value.slice(at).match(/[A-Za-z_]\w*/);
  return word ? word[0] : name;
}

// Rows of numbers, whatever way they were kept.
function rowsOf(table) {
  if (!table) return null;
  if (Array.isArray(table)) return table.map(row => Array.isArray(row) ? row : [row]);
  const [rows, columns] = table.shape;
  const out = Array.from({length: rows}, () => new Array(columns).fill(0));
  table.at.forEach((at, i) => { out[Math.floor(at / columns)][at % columns] = table.value[i]; });
  return out;
}

// The names of so many classes, or their numbers.
function classNames(run, n) {
  const lists = Object.values(run.classes || {});
  return lists.find(list => list.length === n) || Array.from({length: n}, (_, i) => String(i));
}

// How many samples the shares are of; null where that is not known, or not all of them count.
function samplesOf(run, rows) {
  const n = run.validation_samples;
  const whole = n && rows.every(row => row.every(v => Math.abs(v * n - Math.round(v * n)) < 0.01 + 1e-4 * v * n));
  return whole ? n : null;
}

function classRows(rows, names, n) {
  return names.map((name, c) => {
    const right = rows[c][c], labels = rows[c].reduce((a, b) => a + b, 0), chosen = rows.reduce((sum, row) => sum + row[c], 0);
    return {name, share: labels, n: n ? Math.round(labels * n) : null, precision: chosen ? right / chosen : null,
      recall: labels ? right / labels : null, f1: labels + chosen ? 2 * right / (labels + chosen) : null};
  });
}

function showConfusion(place, run, table, rows) {
  const names = classNames(run, rows.length), n = samplesOf(run, rows);
  const sums = rows.map(row => row.reduce((a, b) => a + b, 0));
  const share = (i, k) => sums[i] ? rows[i][k] / sums[i] : null;
  const count = (i, k) => n ? Math.round(rows[i][k] * n) : null;
  const inner = el('div');
  const draw = counts => addHeat(clear(inner), {
    label: `${table.name}: a row for each label, a column for each guess`, rows: rows.length, columns: rows.length, square: true,
    value: counts ? count : share, rowName: i => names[i], columnName: k => names[k], max: counts ? 0 : 1,
    inCell: (i, k) => counts ? fmt(count(i, k)) : fmt(Math.round(100 * share(i, k))),
    text: (i, k) => `label ${names[i]}, guess ${names[k]}: ${n ? `${fmt(count(i, k))}, ` : ''}${percent(share(i, k))} of the label`,
    hint: 'Point at a cell to read it.',
  });
  if (n) place.append(choice('show', ['share of the label', 'count'], i => draw(i === 1)));
  place.append(inner);
  draw(false);
  place.append(sortable('Classes', [
    {title: 'class', text: row => row.name, value: row => row.name, left: true},
    {title: n ? 'n' : 'share', text: row => n ? fmt(row.n) : percent(row.share), value: row => row.share},
    {title: 'precision', text: row => percent(row.precision), value: row => row.precision},
    {title: 'recall', text: row => percent(row.recall), value: row => row.recall},
    {title: 'F1', text: row => percent(row.f1), value: row => row.f1},
  ], classRows(rows, names, n)));
}

// Rows of share, confidence and hits, one for each bin of confidence.
function showReliability(place, run, table, rows) {
  const bins = rows.filter(row => row[0] > 0).sort((a, b) => a[1] - b[1]);
  drawChart(place.appendChild(el('div', {class: 'chart'})), {
    title: `${table.name} of ${run.name}`, xLabel: 'confidence', yLabel: '', yRange: [0, 1], xRange: [0, 1], height: 320,
    lines: [{label: 'share of right guesses', colour: palette[0], x: bins.map(row => row[1]), y: bins.map(row => row[2])},
      {label: 'share of samples', colour: palette[4], dash: [2, 3], x: bins.map(row => row[1]), y: bins.map(row => row[0])},
      {label: 'well calibrated', colour: palette[6], dash: [6, 4], x: [0, 1], y: [0, 1]}],
  });
}

// The first two columns as a curve; of ROC shares of false and of true positives, beside chance.
function showRoc(place, run, table, rows) {
  const line = placed(rows.map(row => row[0]), rows.map(row => row[1]));
  drawChart(place.appendChild(el('div', {class: 'chart'})), {
    title: `${table.name} of ${run.name}`, xLabel: 'false positives', yLabel: '', yRange: [0, 1], xRange: [0, 1], height: 320,
    lines: [{label: 'true positives', colour: palette[0], ...line}, {label: 'chance', colour: palette[6], dash: [6, 4], x: [0, 1], y: [0, 1]}],
  });
}

// A row of precisions for each class, at recalls from 0 to 1; and their mean over the classes that there are.
function showPrecision(place, run, table, rows) {
  const names = classNames(run, rows.length), points = rows[0].length;
  const there = rows.map((row, i) => ({name: names[i], row, area: row.reduce((a, b) => a + b, 0) / points}))
    .filter(line => line.row.every(v => v !== null));
  const inner = el('div');
  const draw = chosen => {
    const x = Array.from({length: points}, (_, i) => i / (points - 1));
    const mean = x.map((_, i) => there.reduce((sum, line) => sum + line.row[i], 0) / there.length);
    drawChart(clear(inner).appendChild(el('div', {class: 'chart'})), {
      title: `${table.name} of ${run.name}`, xLabel: 'recall', yLabel: '', yRange: [0, 1], xRange: [0, 1], height: 320,
      lines: [{label: 'mean of the classes', colour: palette[6], dash: [6, 4], x, y: mean},
        ...chosen.map((line, i) => ({label: line.name, colour: palette[i % 6], x, y: line.row}))],
    });
  };
  if (!there.length) {
    place.append(el('p', {class: 'note'}, 'There are no boxes that count.'));
    return;
  }
  const sorted = there.slice().sort((a, b) => b.area - a.area);
  const choices = [{name: 'the best', lines: sorted.slice(0, 6)}, {name: 'the worst', lines: sorted.slice(-6)},
    ...there.map(line => ({name: line.name, lines: [line]}))];
  const usual = there.length > 6 ? choices : [{name: 'all', lines: there}, ...choices.slice(2)];
  place.append(choice('classes', usual.map(c => c.name), i => draw(usual[i].lines)), inner);
  draw(usual[0].lines);
}

// From where to where the parts of scatter(a, b, low, high) go, where the job says it in numbers.
function scatterRange(run, name) {
  const entry = run.entries.find(e => e.section === 'validate' && e.key === name);
  const numbers = entry ? (entry.value.match(/scatter\((.*)\)/) || ['', ''])[1].split(',').slice(-4).map(text => {
    const m = text.match(/^\s*(?:(low|high|bins)\s*=\s*)?(-?[\d.]+(?:e[+-]?\d+)?)\s*$/i);
    return m ? {key: m[1], value: Number(m[2])} : null;
  }).filter(Boolean) : [];
  const named = key => (numbers.find(n => n.key === key) || {}).value;
  const plain = numbers.filter(n => !n.key).map(n => n.value);
  const low = named('low') ?? plain[0], high = named('high') ?? plain[named('low') === undefined ? 1 : 0];
  return low < high ? {low, high} : null;
}

// How often which target (upwards) is guessed as what (to the right).
function showScatter(place, run, table, rows) {
  const n = rows.length, range = scatterRange(run, table.name);
  const at = i => range ? range.low + (range.high - range.low) * (i + 0.5) / n : i;
  const up = i => n - 1 - i;
  addHeat(place, {
    label: `${table.name}: target upwards, guess to the right; the square root of the share is shown`, rows: n, columns: n, square: true,
    value: (i, k) => Math.sqrt(rows[up(i)][k]), rowName: i => brief(at(up(i))), columnName: k => brief(at(k)),
    text: (i, k) => `target ${fmt(at(up(i)))}, guess ${fmt(at(k))}: ${percent(rows[up(i)][k])}`,
  });
}

// Of each number that is guessed the sums that r2 is made of; of one number alone they are one list.
function showResiduals(place, run, table, rows) {
  const each = rows[0].length === 3 ? rows : [rows.flat()];
  const column = (title, k) => ({title, text: row => fmt(row.sums[k]), value: row => row.sums[k]});
  place.append(sortable(table.name, [
    {title: 'target', text: row => String(row.i), value: row => row.i, left: true},
    column('mean squared error', 0), column('mean of the target', 1), column('mean square of the target', 2),
  ], each.map((sums, i) => ({i, sums}))));
  place.append(el('p', {class: 'note'}, 'Those of the target are of its distance from `around`.'));
}

function showOther(place, run, table, rows) {
  if (rows[0].length === 1) {
    const names = classNames(run, rows.length);
    place.append(sortable(table.name, [
      {title: 'class', text: row => row.name, value: row => row.name, left: true},
      {title: table.name, text: row => fmt(row.value), value: row => row.value},
    ], rows.map((row, i) => ({name: names[i], value: row[0]}))));
    return;
  }
  addHeat(place, {label: table.name, rows: rows.length, columns: rows[0].length, value: (i, k) => rows[i][k],
    min: Math.min(0, ...rows.flat().filter(v => typeof v === 'number')), rowName: i => i, columnName: k => k,
    text: (i, k) => `row ${i}, column ${k}: ${fmt(rows[i][k])}`});
}

const tableKinds = {confusion: showConfusion, reliability: showReliability, roc: showRoc, scatter: showScatter, residuals: showResiduals,
  pr_curve: showPrecision};

function showTable(place, run, table) {
  const rows = rowsOf(table.table);
  const flat = rows && rows.every(row => row.every(v => v === null || typeof v === 'number'));
  if (!flat || !rows.length) {
    place.append(el('p', {class: 'note'}, `${table.name} is too large for a page, or no table of two dimensions.`));
    return;
  }
  const word = wordOf(run, table.name), width = rows[0].length;
  const fits = ['confusion', 'scatter'].includes(word) ? width === rows.length && width > 1
    : word === 'pr_curve' ? width > 1 : word === 'reliability' ? width === 3 : word === 'residuals' ? width === 3 || rows.length === 3 && width === 1 : width === 2;
  (fits && tableKinds[word] || showOther)(place, run, table, rows);
}

function tableName(table) {
  return `${table.name}, ${table.best && table.last ? 'best and last' : table.best ? 'best' : 'last'} validation (epoch ${fmt(table.epoch)})`;
}

function showTables() {
  const which = runs.filter(run => run.tables.length);
  if (!which.length) return;
  const node = section('tables', 'Tables of the validation');
  perRun(node, which, (place, run) => {
    const sums = table => wordOf(run, table.name) === 'residuals'; // which say less than what is drawn
    const tables = run.tables.slice().sort((a, b) => b.best - a.best || sums(a) - sums(b)), inner = el('div');
    const show = i => showTable(clear(inner), run, tables[i]);
    if (tables.length > 1) place.append(choice('table', tables.map(tableName), show));
    else place.append(el('p', {}, tableName(tables[0])));
    place.append(inner);
    show(0);
  });
}
