// Pictures of curves, drawn by uPlot: hover, zoom, smoothing, a logarithmic axis, runs over each other.

// Every picture that is on the page, by its title: {plot, spec, element, log: is its axis logarithmic?}.
const charts = new Map();
window.dltrainReport = {data, charts};

function cssColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function faint(colour, share) {
  const n = parseInt(colour.slice(1), 16);
  return `rgba(${n >> 16},${n >> 8 & 255},${n & 255},${share})`;
}

// uPlot's columns of lines that each have an x of their own: {data, order: number of the line of each column}.
function columns(lines, log) {
  const positive = ys => log ? ys.map(y => y > 0 ? y : null) : ys;
  const tables = [], series = [];
  lines.forEach((line, i) => {
    const add = (ys, role) => { tables.push([line.x, positive(ys)]); series.push({line, role, number: i}); };
    if (line.low) { add(line.low, 'low'); add(line.high, 'high'); }
    if (line.raw) add(line.raw, 'raw');
    add(line.y, 'main');
  });
  return {data: uPlot.join(tables), series};
}

function seriesOptions({line, role}) {
  const bare = {label: line.label, points: {show: false}, show: line.shown !== false};
  if (role === 'low' || role === 'high') return {...bare, stroke: faint(line.colour, 0), role};
  if (role === 'raw') return {...bare, stroke: faint(line.colour, 0.25), width: 1, role};
  const few = line.x.length < 60;
  return {...bare, stroke: line.colour, width: line.dash ? 2 : 1.6, dash: line.dash || undefined,
    points: {show: few, size: 5, fill: line.colour}, role};
}

function axisOptions(label) {
  const ink = cssColour('--ink'), grid = cssColour('--grid');
  return {stroke: ink, label, labelSize: scaled(20), labelFont: canvasFont(12), font: canvasFont(11),
    grid: {stroke: grid, width: 1}, ticks: {stroke: grid, width: 1}};
}

// One picture. spec: {title, lines: [{label, colour, dash, x, y, low, high, raw, error}], xLabel, yLabel, log,
// xRange, yRange, height}. What is there under that title is replaced.
function drawChart(element, spec) {
  const old = charts.get(spec.title);
  if (old && old.plot) old.plot.destroy();
  const anyPositive = spec.lines.some(line => line.y.some(y => y > 0));
  const log = spec.log && anyPositive;
  const {data: columnsOf, series} = columns(spec.lines, log);
  const legend = el('div', {class: 'legend'});
  const place = el('div', {class: 'plot', tabindex: 0, role: 'group', 'aria-label': describeChart(spec)});
  clear(element).append(
    el('h3', {}, spec.title), place, legend);
  const bands = series.map((s, i) => s.role === 'high' ? {series: [i + 1, i], fill: faint(s.line.colour, s.line.stacked ? 0.45 : 0.2)} : null).filter(Boolean);
  const plot = new uPlot({
    width: Math.max(element.clientWidth - 8, 200), height: scaled(spec.height || 240), legend: {show: false}, bands,
    cursor: {drag: {x: true, y: false, setScale: true}, points: {size: 7}},
    scales: {x: {time: false, range: spec.xRange}, y: {distr: log ? 3 : 1, range: spec.yRange}},
    axes: [axisOptions(spec.xLabel), {...axisOptions(spec.yLabel), size: scaled(62),
      values: (u, ticks) => ticks.map(v => v === null ? '' : fmt(v))}],
    series: [{label: spec.xLabel}, ...series.map(seriesOptions)],
    hooks: {setCursor: [u => showValues(u, spec, series, legend)]},
  }, columnsOf, place);
  plot.ctx.canvas.setAttribute('aria-hidden', 'true'); // its place says what is on it
  charts.set(spec.title, {plot, spec, element, log});
  makeLegend(legend, plot, spec, series);
  place.addEventListener('keydown', event => keyOnChart(event, plot));
}

function describeChart(spec) {
  const ends = spec.lines.slice(0, 12).map(line => `${line.label || spec.title} ${fmt(lastOf(line.y))}`);
  return `Curves of ${spec.title} over ${spec.xLabel}; last: ${ends.join(', ')}. Arrows move, plus and minus zoom, 0 shows all.`;
}

function lastOf(values) {
  for (let i = values.length - 1; i >= 0; i--) if (values[i] !== null && values[i] !== undefined) return values[i];
  return null;
}

// A button for each line, which hides it, and says its value under the cursor.
function makeLegend(legend, plot, spec, series) {
  spec.lines.forEach((line, i) => {
    const mark = el('span', {class: line.dash ? 'mark dashed' : 'mark', style: `border-color:${line.colour}`});
    const value = el('span', {class: 'value'}, fmt(lastOf(line.stacked || line.y)));
    const button = toggle('', line.shown !== false, on => {
      line.shown = on;
      series.forEach((s, k) => { if (s.number === i) plot.setSeries(k + 1, {show: on}); });
    });
    button.append(mark, el('span', {}, line.label || spec.title), value);
    line.valueNode = value;
    legend.append(button);
  });
  legend.append(el('button', {type: 'button', class: 'quiet', onclick: () => resetZoom(plot),
    'aria-label': `Show all of ${spec.title}`}, '⤢ all'));
  legend.append(el('span', {class: 'at', 'aria-live': 'polite'}));
}

// Values at the cursor, or of the last point where it is elsewhere.
function showValues(plot, spec, series, legend) {
  const at = plot.cursor.idx, x = at === null || at === undefined ? null : plot.data[0][at];
  series.forEach((s, k) => {
    if (s.role !== 'main') return;
    let text = fmt(lastOf(s.line.stacked || s.line.y));
    if (x !== null) {
      const y = nearest(plot.data[0], plot.data[k + 1], at);
      const where = s.line.x.indexOf(plot.data[0][y.at]);
      const error = s.line.error && where >= 0 ? s.line.error[where] : null;
      const value = s.line.stacked && where >= 0 ? s.line.stacked[where] : y.value;
      text = value === null ? '–' : fmt(value) + (error ? ` ± ${fmt(error)}` : '');
    }
    if (s.line.valueNode) s.line.valueNode.textContent = text;
  });
  const out = legend.querySelector('.at');
  if (out) out.textContent = x === null ? '' : `${spec.xLabel} ${fmt(x)}`;
}

// The value beside which the cursor is: lines have points of their own.
function nearest(xs, ys, at) {
  for (let d = 0; d < ys.length; d++) {
    if (ys[at - d] !== undefined && ys[at - d] !== null) return {at: at - d, value: ys[at - d]};
    if (ys[at + d] !== undefined && ys[at + d] !== null) return {at: at + d, value: ys[at + d]};
  }
  return {at, value: null};
}

function resetZoom(plot) {
  const xs = plot.data[0];
  if (xs.length) plot.setScale('x', {min: xs[0], max: xs[xs.length - 1]});
}

function zoomBy(plot, factor) {
  const {min, max} = plot.scales.x, middle = (min + max) / 2, half = (max - min) / 2 * factor;
  plot.setScale('x', {min: middle - half, max: middle + half});
}

function keyOnChart(event, plot) {
  const xs = plot.data[0], at = plot.cursor.idx === null || plot.cursor.idx === undefined ? xs.length - 1 : plot.cursor.idx;
  const move = to => {
    const i = Math.min(Math.max(to, 0), xs.length - 1);
    plot.setCursor({left: plot.valToPos(xs[i], 'x'), top: plot.over.clientHeight / 2});
  };
  const keys = {ArrowLeft: () => move(at - 1), ArrowRight: () => move(at + 1), Home: () => move(0), End: () => move(xs.length - 1),
    '+': () => zoomBy(plot, 0.5), '=': () => zoomBy(plot, 0.5), '-': () => zoomBy(plot, 2), 0: () => resetZoom(plot)};
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
}

// --- the section ---

const view = {axis: 'epoch', smoothing: 0, log: false, together: true, hidden: new Set()};

// The lines of one picture as the view asks for them.
function linesOf(title, groups) {
  const lines = [], several = groups.length > 1;
  for (const group of groups) {
    if (view.hidden.has(group.name)) continue;
    const kinds = new Map();
    for (const run of group.runs)
      for (const curve of run.curves) {
        const place = placeOf(curve);
        if (!place || place.title !== title) continue;
        const key = `${place.part}|${curve.validate}`;
        if (!kinds.has(key)) kinds.set(key, {part: place.part, validate: curve.validate, members: []});
        kinds.get(key).members.push({...placed(positions(run, curve, view.axis), curve.value),
          error: curve.error ? placed(positions(run, curve, view.axis), curve.error).y : null});
      }
    for (const kind of kinds.values()) lines.push(lineOf(kind, group, several, lines.length));
  }
  return lines;
}

function lineOf(kind, group, several, number) {
  const words = [several ? group.name : '', kind.part, kind.validate ? 'validation' : several || kind.part ? '' : 'training'];
  const line = kind.members.length > 1 ? spread(kind.members) : {...kind.members[0]};
  const own = several ? group.colour : colourOf(number);
  const parts = several ? [...new Set(runs.flatMap(run => run.curves.map(placeOf)).filter(Boolean).map(place => place.part))].filter(Boolean) : [];
  const dotted = parts.indexOf(kind.part) > 0 ? [2, 2] : null;
  Object.assign(line, {label: words.filter(Boolean).join(' '), colour: own, dash: kind.validate ? [6, 4] : dotted});
  if (view.smoothing && !kind.validate) {
    if (!line.low) line.raw = line.y;
    line.y = smooth(line.y, view.smoothing);
  }
  return line;
}

const axisLabels = {step: 'step', epoch: 'epoch', time: 'hours'};

function drawCurves(places) {
  const groups = groupRuns(view.together);
  for (const [title, place] of places) {
    const lines = linesOf(title, groups);
    place.hidden = !lines.length;
    if (lines.length) drawChart(place, {title, lines, xLabel: axisLabels[view.axis], yLabel: '', log: view.log});
  }
}

function redraw(act) {
  return value => { act(value); redrawCurves(); };
}

let redrawCurves = () => {};

function showCurves() {
  const titles = listCharts();
  if (!titles.length) return;
  const node = section('curves', 'Curves', 'Drag to zoom, double click to see all; names hide and show their curves.');
  const hasTime = runs.every(run => run.clock.time.some(t => t !== null));
  const axes = hasTime ? ['epoch', 'step', 'time'] : ['epoch', 'step'];
  const places = new Map(titles.map(title => [title, el('div', {class: 'chart'})]));
  const bar = el('div', {class: 'bar', role: 'group', 'aria-label': 'How curves are drawn'},
    choice('over', axes, redraw(i => { view.axis = axes[i]; })),
    slider('smoothing', {min: 0, max: 0.99, step: 0.01, value: 0}, v => v.toFixed(2), redraw(v => { view.smoothing = v; })),
    toggle('log scale', false, redraw(on => { view.log = on; }), {id: 'log'}));
  if (groupRuns(true).length < runs.length)
    bar.append(toggle('seeds as mean and spread', true, redraw(on => { view.together = on; }), {id: 'together'}));
  node.append(bar);
  if (runs.length > 1) node.append(runButtons());
  node.append(el('div', {class: 'charts'}, [...places.values()]));
  redrawCurves = () => drawCurves(places);
  redrawCurves();
}

// Runs that all pictures show or do not.
function runButtons() {
  const place = el('div', {class: 'bar', role: 'group', 'aria-label': 'Runs'});
  for (const group of groupRuns(true)) {
    const button = toggle('', true, redraw(on => {
      for (const name of [group.name, ...group.runs.map(run => run.name)])
        if (on) view.hidden.delete(name);
        else view.hidden.add(name);
    }));
    button.append(el('span', {class: 'mark', style: `border-color:${group.colour}`}), group.name);
    place.append(button);
  }
  return place;
}

function resizeCharts() {
  for (const {plot, element} of charts.values())
    if (element.clientWidth > 0) plot.setSize({width: Math.max(element.clientWidth - 8, 200), height: plot.height});
}
