// Numbers as colours in a grid, which a pointer and arrows read out.

// spec: {label, rows, columns, value(i, k): number or null, text(i, k), rowName(i), columnName(k), rowTitle, columnTitle, max, unit}
function heatMap(spec) {
  const canvas = el('canvas', {tabindex: 0, role: 'img', 'aria-label': `${spec.label}. Arrows read it cell by cell.`});
  const readout = el('p', {class: 'readout', 'aria-live': 'polite'}, spec.hint || '\u00a0');
  const left = spec.rowName ? scaled(78) : 8, bottom = scaled(22);
  const cell = {width: 1, height: 1, i: 0, k: 0};
  let most = spec.max || 0, least = spec.min || 0;
  if (!spec.max)
    for (let i = 0; i < spec.rows; i++) for (let k = 0; k < spec.columns; k++) most = Math.max(most, spec.value(i, k) || 0);
  if (most <= least) most = least + 1;

  function draw() {
    const width = Math.max(Math.min(canvas.parentElement.clientWidth, spec.square ? scaled(720) : 3800), 200);
    const room = width - left - 8;
    cell.width = room / spec.columns;
    cell.height = spec.square ? Math.min(cell.width, scaled(44)) : Math.min(Math.max(scaled(220) / spec.rows, 3), scaled(26));
    const ratio = window.devicePixelRatio || 1, height = cell.height * spec.rows + bottom;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext('2d');
    pen.scale(ratio, ratio);
    for (let i = 0; i < spec.rows; i++)
      for (let k = 0; k < spec.columns; k++) {
        const v = spec.value(i, k);
        if (v === null || v === undefined || Number.isNaN(v)) continue;
        pen.fillStyle = heatColour((v - least) / (most - least));
        pen.fillRect(left + k * cell.width, i * cell.height, cell.width + 0.4, cell.height + 0.4);
        if (spec.inCell && cell.width > scaled(34) && cell.height > scaled(14)) {
          pen.fillStyle = (v - least) / (most - least) > 0.6 ? '#000' : '#fff';
          pen.font = canvasFont(11);
          pen.textAlign = 'center';
          pen.textBaseline = 'middle';
          pen.fillText(spec.inCell(i, k), left + (k + 0.5) * cell.width, (i + 0.5) * cell.height);
        }
      }
    drawNames(pen, height);
  }

  function drawNames(pen, height) {
    pen.fillStyle = cssColour('--ink');
    pen.font = canvasFont(11);
    pen.textBaseline = 'middle';
    pen.textAlign = 'right';
    const every = Math.ceil(scaled(14) / cell.height);
    for (let i = 0; spec.rowName && i < spec.rows; i += every)
      pen.fillText(shorten(String(spec.rowName(i)), 12), left - 5, (i + 0.5) * cell.height, left - 8);
    pen.textAlign = 'center';
    const step = Math.ceil(spec.columns / Math.max(Math.floor((spec.columns * cell.width) / scaled(64)), 1));
    for (let k = 0; k < spec.columns; k += step)
      pen.fillText(shorten(String(spec.columnName(k)), 9), left + (k + 0.5) * cell.width, height - bottom / 2, scaled(62));
  }

  function say(i, k) {
    cell.i = Math.min(Math.max(i, 0), spec.rows - 1);
    cell.k = Math.min(Math.max(k, 0), spec.columns - 1);
    readout.textContent = spec.text(cell.i, cell.k);
  }

  canvas.addEventListener('pointermove', event => {
    const box = canvas.getBoundingClientRect();
    say(Math.floor((event.clientY - box.top) / cell.height), Math.floor((event.clientX - box.left - left) / cell.width));
  });
  canvas.addEventListener('keydown', event => {
    const way = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!way) return;
    event.preventDefault();
    say(cell.i + way[0], cell.k + way[1]);
  });
  const legend = el('p', {class: 'scale'}, fmt(least), el('span', {class: 'ramp'}), `${fmt(most)}${spec.unit || ''}`);
  const element = el('figure', {class: 'heat'}, el('figcaption', {}, spec.label), el('div', {class: 'scroll'}, canvas), readout, legend);
  heats.add({canvas, draw});
  return {element, draw, cell, canvas};
}

// Those on the page, to be drawn anew in another width or other colours.
const heats = new Set();

function redrawHeats() {
  for (const heat of heats)
    if (heat.canvas.isConnected) heat.draw();
    else heats.delete(heat);
}

function addHeat(place, spec) {
  const heat = heatMap(spec);
  place.append(heat.element);
  heat.draw();
  return heat;
}
