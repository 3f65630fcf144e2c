// What settings do to the best measure: a line for each run through what differs between the jobs.

// The keys that several runs have otherwise, as numbers or as one of few words: {name, values, place(value): 0 .. 1}.
function settingAxes(which) {
  const names = [...new Set(which.flatMap(run => run.entries.map(e => `[${e.section}] ${e.key}`)))].filter(name => !/^\[job\] (name|output)$/.test(name));
  const maps = which.map(run => new Map(run.entries.map(e => [`[${e.section}] ${e.key}`, e.value])));
  return names.map(name => axisOf(name, maps.map(map => map.get(name) ?? '–'))).filter(axis => axis.kinds > 1 && axis.kinds <= 60);
}

function axisOf(name, texts) {
  const kinds = [...new Set(texts)], numbers = texts.map(Number);
  if (texts.some(text => !Number.isFinite(Number(text)) || text.trim() === '')) {
    kinds.sort();
    return {name, texts, kinds: kinds.length, places: texts.map(text => kinds.length > 1 ? kinds.indexOf(text) / (kinds.length - 1) : 0.5)};
  }
  // Rates are chosen by factors, other numbers by steps.
  const factors = numbers.every(v => v > 0) && Math.max(...numbers) / Math.min(...numbers) >= 10;
  return {name, texts, kinds: kinds.length, places: placesOf(numbers.map(v => factors ? Math.log(v) : v))};
}

function placesOf(values) {
  const low = Math.min(...values), high = Math.max(...values);
  return values.map(v => high > low ? (v - low) / (high - low) : 0.5);
}

function drawSettings(which, axes) {
  const best = which.map(run => run.best.value), measure = which[0].best.measure;
  const all = [...axes, {name: measure, texts: best.map(fmt), places: placesOf(best)}];
  const width = 160 * all.length, height = 300, top = 24, x = i => 80 + i * 160, y = place => top + 16 + (1 - place) * (height - top - 40);
  const shares = placesOf(best.map(v => which[0].best.maximise ? v : -v));
  const order = which.map((_, i) => i).sort((a, b) => shares[a] - shares[b]);
  const drawing = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', class: 'settings',
    'aria-label': `A line for each of ${which.length} runs through ${all.map(axis => axis.name).join(', ')}; the table of runs holds the same`});
  all.forEach((axis, i) => drawing.append(
    svg('path', {class: 'edge', d: `M${x(i)},${y(0)}V${y(1)}`}), svg('text', {x: x(i), y: 14}, shorten(axis.name, 24)),
    ...[Math.min, Math.max].map(end => {
      const place = end(...axis.places);
      return svg('text', {x: x(i), y: y(place) + (end === Math.min ? 18 : -6), class: 'value'}, shorten(axis.texts[axis.places.indexOf(place)], 22));
    })));
  for (const i of order)
    drawing.append(svg('path', {class: 'line', stroke: heatColour(0.9 * shares[i]), d: all.map((axis, k) => `${k ? 'L' : 'M'}${x(k)},${y(axis.places[i])}`).join('')},
      svg('title', {}, `${which[i].name}: ${all.map(axis => `${axis.name} ${axis.texts[i]}`).join(', ')}`)));
  return el('figure', {class: 'heat'}, el('figcaption', {}, `Settings and the best ${measure}: the brighter, the better`),
    el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Settings'}, drawing));
}

function showSettings() {
  const measures = runs.filter(run => run.best && run.job);
  const which = measures.filter(run => run.best.measure === measures[0].best.measure);
  const axes = which.length > 2 ? settingAxes(which) : [];
  if (!axes.length) return;
  section('settings', 'Settings').append(drawSettings(which, axes));
}
