// The networks: a table of operators, and a drawing whose blocks open and close.

function shapeText(shape) {
  return shape.length ? shape.join('×') : '1';
}

function networkTable(graph) {
  const rows = graph.nodes.filter(node => node.operator !== 'input' && node.operator !== 'number');
  const field = node => node.field[0] === node.field[1] ? String(node.field[0]) : node.field.join('×');
  return sortable(`${graph.name}, for one sample`, [
    {title: '#', text: node => String(node.id), value: node => node.id, left: true},
    {title: 'name', text: node => node.name || '–', value: node => node.name, left: true},
    {title: 'operator', text: node => node.operator, value: node => node.operator, left: true},
    {title: 'output', text: node => shapeText(node.output), value: node => node.output.reduce((a, b) => a * b, 1)},
    {title: 'parameters', text: node => node.parameters ? fmt(node.parameters) : '', value: node => node.parameters},
    {title: 'MFLOP', text: node => (node.flops / 1e6).toFixed(3), value: node => node.flops},
    {title: 'receptive field', text: field, value: node => node.field[0]},
  ], rows);
}

// What is seen of a graph while some of its blocks are closed: boxes, and which box reads which.
function visible(graph, closed) {
  const boxes = new Map(), boxOf = [];
  for (const node of graph.nodes) {
    const paths = node.within.map((_, i) => node.within.slice(0, i + 1).join('/'));
    const block = paths.find(path => closed.has(path));
    const key = block || `#${node.id}`;
    if (!boxes.has(key))
      boxes.set(key, {key, block, nodes: [], inputs: new Set(), order: node.id, last: paths[paths.length - 1],
        title: block ? node.within[block.split('/').length - 1] : node.operator, blocks: paths});
    boxes.get(key).nodes.push(node);
    boxOf[node.id] = boxes.get(key);
  }
  // Numbers are left out: constants all over the drawing.
  for (const node of graph.nodes)
    for (const id of node.inputs)
      if (boxOf[id] !== boxOf[node.id] && graph.nodes[id].operator !== 'number') boxOf[node.id].inputs.add(boxOf[id]);
  const read = new Set([...boxes.values()].flatMap(box => [...box.inputs]));
  return [...boxes.values()].filter(box => box.inputs.size || read.has(box) || graph.nodes.length === 1);
}

// Layers from the inputs down; an edge over several layers goes through a place of its own in each.
function layOut(boxes) {
  const layers = [], edges = [];
  for (const box of boxes.slice().sort((a, b) => a.order - b.order)) {
    box.layer = Math.max(0, ...[...box.inputs].filter(from => from.layer !== undefined).map(from => from.layer + 1));
    (layers[box.layer] = layers[box.layer] || []).push(box);
  }
  for (const box of boxes)
    for (const from of box.inputs) {
      const way = [from];
      for (let layer = from.layer + 1; layer < box.layer; layer++) {
        const bend = {bend: true, width: 14, from: [way[way.length - 1]]};
        layers[layer].push(bend);
        way.push(bend);
      }
      edges.push([...way, box]);
    }
  for (const way of edges) for (let i = 1; i < way.length; i++) (way[i].from = way[i].from || []).push(way[i - 1]);
  for (const layer of layers) placeLayer(layer);
  return {layers, edges};
}

const boxWidth = 148, boxHeight = 40, layerHeight = 62, gap = 18;

// Each as near to the middle of what it reads as its neighbours let it.
function placeLayer(layer) {
  for (const item of layer) {
    const from = (item.from || []).filter(f => f.x !== undefined);
    item.width = item.width || boxWidth;
    item.wish = from.length ? from.reduce((sum, f) => sum + f.x, 0) / from.length : 0;
  }
  layer.sort((a, b) => a.wish - b.wish);
  let at = -Infinity;
  for (const item of layer) {
    item.x = Math.max(item.wish, at + item.width / 2);
    at = item.x + item.width / 2 + gap;
  }
  const shift = layer.reduce((sum, item) => sum + item.x - item.wish, 0) / layer.length;
  for (const item of layer) item.x -= shift;
}

function edgePath(way) {
  const layer = way[0].layer;
  let path = '';
  const points = way.map((item, i) => ({x: item.x, top: (layer + i) * layerHeight, bend: item.bend}));
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1], b = points[i];
    const from = a.top + (a.bend ? 0 : boxHeight / 2), to = b.top - (b.bend ? 0 : boxHeight / 2), middle = (from + to) / 2;
    path += `${i === 1 ? `M${a.x},${from}` : ''}C${a.x},${middle} ${b.x},${middle} ${b.x},${to}`;
  }
  return path;
}

const kindOf = [
  [/^(input|number)$/, 'data'], [/conv|linear|embedding/, 'weights'], [/bn|norm/, 'norm'], [/pool|resize|upsample/, 'pool'],
  [/relu|sigmoid|tanh|softmax|elu|gelu|swish|silu/, 'activation'],
];

function boxClass(box) {
  if (box.block) return 'block';
  const kind = kindOf.find(([pattern]) => pattern.test(box.nodes[0].operator));
  return kind ? kind[1] : 'other';
}

function drawBox(box, toggleBlock) {
  const parameters = box.nodes.reduce((sum, node) => sum + node.parameters, 0);
  const flops = box.nodes.reduce((sum, node) => sum + node.flops, 0);
  const last = box.nodes[box.nodes.length - 1];
  const name = box.block ? box.title : last.name || last.operator;
  const about = `${box.block ? `block of ${box.nodes.length} operators` : last.operator}, output ${shapeText(last.output)}, ` +
    `${fmt(parameters)} parameters, ${fmt(flops / 1e6)} MFLOP`;
  const opens = box.block || box.last;
  const act = () => toggleBlock(opens);
  return svg('g', {
    class: `box ${boxClass(box)}`, transform: `translate(${box.x - boxWidth / 2},${box.layer * layerHeight - boxHeight / 2})`,
    tabindex: box.block ? 0 : null, role: box.block ? 'button' : null, 'aria-expanded': box.block ? 'false' : null,
    'aria-label': `${name}: ${about}`, 'data-block': box.block || null,
    onclick: box.block ? act : null, ondblclick: !box.block && box.last ? act : null,
    onkeydown: box.block ? event => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); act(); } } : null,
  }, svg('title', {}, `${name}: ${about}${!box.block && box.last ? '; double click closes its block' : ''}`),
  svg('rect', {width: boxWidth, height: boxHeight, rx: 6}),
  svg('text', {x: boxWidth / 2, y: 16, class: 'name'}, shorten(box.block ? `▸ ${name}` : name, 21)),
  svg('text', {x: boxWidth / 2, y: 32}, shorten(`${box.block ? `${box.nodes.length} ops` : last.operator} → ${shapeText(last.output)}`, 24)));
}

function shorten(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// All blocks of a graph, as paths "net/layer1".
function blocksOf(graph) {
  const out = new Set();
  for (const node of graph.nodes) node.within.forEach((_, i) => out.add(node.within.slice(0, i + 1).join('/')));
  return out;
}

// Nets stand open where that leaves a drawing that can be read, blocks in them closed.
function closedAtFirst(graph) {
  const all = [...blocksOf(graph)], inner = new Set(all.filter(path => path.includes('/')));
  const nets = all.filter(path => !path.includes('/'));
  return visible(graph, inner).length > 60 && nets.length > 1 ? new Set(all) : inner;
}

// Pan by dragging and zoom by buttons: the viewBox of the drawing.
function makeView(drawing, bounds) {
  const box = {...bounds};
  const apply = () => drawing.setAttribute('viewBox', `${box.x} ${box.y} ${box.width} ${box.height}`);
  const zoom = factor => {
    box.x += box.width * (1 - factor) / 2;
    box.y += box.height * (1 - factor) / 2;
    box.width *= factor;
    box.height *= factor;
    apply();
  };
  let grip = null, way = 0;
  drawing.addEventListener('pointerdown', event => { grip = {x: event.clientX, y: event.clientY}; way = 0; });
  window.addEventListener('pointerup', () => { grip = null; });
  // What was dragged was not pressed.
  drawing.addEventListener('click', event => { if (way > 5) event.stopPropagation(); }, true);
  drawing.addEventListener('pointermove', event => {
    if (!grip) return;
    way += Math.abs(event.clientX - grip.x) + Math.abs(event.clientY - grip.y);
    const scale = box.width / Math.max(drawing.clientWidth, 1);
    box.x -= (event.clientX - grip.x) * scale;
    box.y -= (event.clientY - grip.y) * scale;
    grip = {x: event.clientX, y: event.clientY};
    apply();
  });
  drawing.addEventListener('wheel', event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15);
  }, {passive: false});
  apply();
  return {zoom, all: () => { Object.assign(box, bounds); apply(); }};
}

function boundsOf({layers}, element) {
  const items = layers.flat();
  const left = Math.min(...items.map(item => item.x - item.width / 2)) - 20;
  const right = Math.max(...items.map(item => item.x + item.width / 2)) + 20;
  const width = Math.max(right - left, 300), height = (layers.length - 1) * layerHeight + boxHeight + 20;
  const tall = Math.min(Math.max(height, 200), 640);
  // At least as wide as what stands beside its height in the window, so that boxes keep their proportions.
  const seen = Math.max(width, height * Math.max(element.clientWidth, 300) / tall);
  return {tall, bounds: {x: (left + right) / 2 - seen / 2, y: -boxHeight / 2 - 10, width: seen, height: seen * tall / Math.max(element.clientWidth, 300)}};
}

function graphDrawing(graph) {
  const place = el('div', {class: 'drawing'}), closed = closedAtFirst(graph);
  let current = null;
  const toggleBlock = path => {
    if (closed.has(path)) closed.delete(path);
    else closed.add(path);
    draw();
    const blocks = [...place.querySelectorAll('[data-block]')];
    (blocks.find(block => block.dataset.block === path) || blocks[0] || place.previousSibling.lastChild).focus();
  };
  const draw = () => {
    const laid = layOut(visible(graph, closed));
    const drawing = svg('svg', {role: 'group', 'aria-label': `Drawing of ${graph.name}: blocks open when they are pressed`});
    drawing.append(svg('defs', {}, svg('marker', {id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto'},
      svg('path', {d: 'M0,0 L8,4 L0,8 z', class: 'arrow'}))));
    for (const way of laid.edges) drawing.append(svg('path', {class: 'edge', d: edgePath(way), 'marker-end': 'url(#arrow)'}));
    for (const item of laid.layers.flat()) if (!item.bend) drawing.append(drawBox(item, toggleBlock));
    clear(place).append(drawing);
    const {tall, bounds} = boundsOf(laid, place);
    drawing.style.height = `${tall}px`;
    current = makeView(drawing, bounds);
  };
  const button = (label, name, act) => el('button', {type: 'button', 'aria-label': name, onclick: act}, label);
  const bar = el('div', {class: 'bar', role: 'group', 'aria-label': 'Drawing'},
    button('+', 'Zoom in', () => current.zoom(0.7)), button('−', 'Zoom out', () => current.zoom(1 / 0.7)), button('⤢', 'Show all', () => current.all()),
    button('open all', 'Open all blocks', () => { closed.clear(); draw(); }),
    button('close all', 'Close all blocks', () => { for (const path of blocksOf(graph)) if (path.includes('/')) closed.add(path); draw(); }));
  return {element: el('div', {}, bar, place), draw};
}

function showGraph(place, graph) {
  const drawing = graphDrawing(graph);
  place.append(el('p', {}, `${graph.name}: ${fmt(graph.flops / 1e6)} MFLOP forward, ${fmt(graph.bytes / 1024)} KiB of activations, for one sample`),
    drawing.element, el('details', {open: graph.nodes.length < 50}, el('summary', {}, 'Operators as a table'), networkTable(graph)));
  drawing.draw();
}

function showNetwork() {
  const which = runs.filter(run => run.network && run.network.graphs.length);
  if (!which.length) return;
  const node = section('network', 'Network', 'Drag to move it, press a block to open it.');
  perRun(node, which, (place, run) => {
    const graphs = run.network.graphs, inner = el('div');
    const show = i => showGraph(clear(inner), graphs[i]);
    if (graphs.length > 1) place.append(choice('graph', graphs.map(graph => graph.name), show));
    place.append(inner);
    show(0);
  });
}
