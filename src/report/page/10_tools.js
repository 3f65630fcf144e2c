// What all parts of the page use: the data, elements, numbers as text, colours.
const data = JSON.parse(document.getElementById('data').textContent);
const runs = data.runs;

// Folders of one name are told apart by their paths; networks that several runs have are kept once.
for (const run of runs) run.unique = runs.filter(other => other.name === run.name).length === 1;
for (const run of runs) {
  if (!run.unique) run.name = run.folder;
  if (typeof run.network === 'number') run.network = runs[run.network].network;
}

// Okabe and Ito's colours, which all eyes tell apart, on white and on black.
const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b8860b', '#3aa0dd', '#7a7a7a', '#a3485f'];
// Of viridis: rises evenly in lightness.
const viridis = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function colourOf(i) {
  return palette[i % palette.length];
}

// share: 0 .. 1
function heatColour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (viridis.length - 1);
  const i = Math.min(Math.floor(at), viridis.length - 2);
  const rgb = viridis[i].map((v, k) => Math.round(v + (viridis[i + 1][k] - v) * (at - i)));
  return `rgb(${rgb.join(',')})`;
}

// el('p', {class: 'x', onclick: f}, 'text', child ...); null attributes and children are left out.
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) node.append(child);
  return node;
}

function clear(node) {
  while (node.firstChild) node.firstChild.remove();
  return node;
}

// Four digits, as many as a reader compares.
function fmt(v) {
  if (typeof v !== 'number' || Number.isNaN(v)) return '–';
  if (!Number.isFinite(v)) return v > 0 ? '∞' : '−∞';
  if (Number.isInteger(v) && Math.abs(v) < 1e15) return v.toLocaleString('en').replace('-', '−');
  const size = Math.abs(v);
  if (size >= 1e5 || size < 1e-4) return v.toExponential(3).replace('-', '−');
  return String(Number(v.toPrecision(4))).replace('-', '−');
}

// As many digits as fit beside an axis.
function brief(v) {
  return typeof v === 'number' ? String(Number(v.toPrecision(3))).replace('-', '−') : String(v);
}

function percent(share) {
  return share === null || share === undefined ? '–' : `${fmt(100 * share)}\u00a0%`;
}

function duration(seconds) {
  if (!(seconds >= 0)) return null;
  const h = Math.floor(seconds / 3600), m = Math.floor(seconds / 60) % 60, s = Math.floor(seconds % 60);
  const two = n => String(n).padStart(2, '0');
  return h ? `${h} h ${two(m)} min` : m ? `${m} min ${two(s)} s` : seconds < 10 ? `${fmt(seconds)} s` : `${s} s`;
}

function dateText(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return '–';
  return date.toISOString().replace('T', ' ').slice(0, 16) + ' UTC';
}

// Sizes on canvases follow the page's, from a phone's to a wall's.
function scaled(pixels) {
  return Math.round(pixels * parseFloat(getComputedStyle(document.documentElement).fontSize) / 15);
}

function canvasFont(pixels) {
  return `${scaled(pixels)}px system-ui, sans-serif`;
}

// A section of the page, with its place in the contents: what it shows is added by whoever asks.
function section(id, title, note) {
  const heading = el('h2', {id: `${id}-title`}, title);
  const node = el('section', {id, 'aria-labelledby': heading.id}, heading, note ? el('p', {class: 'note'}, note) : null);
  document.getElementById('contents').append(el('a', {href: `#${id}`}, title));
  document.getElementById('main').append(node);
  return node;
}

let ids = 0;
function newId() {
  return `id${++ids}`;
}

// A list to choose from; `names` are texts, `act` is called with the number of the one chosen.
function choice(label, names, act) {
  const id = newId();
  const select = el('select', {id, onchange: () => act(select.selectedIndex)}, names.map(name => el('option', {}, name)));
  return el('span', {class: 'control'}, el('label', {for: id}, label), select);
}

function slider(label, attributes, text, act) {
  const id = newId(), out = el('output', {for: id});
  const input = el('input', {
    type: 'range', id, ...attributes,
    oninput: () => { out.textContent = text(Number(input.value)); act(Number(input.value)); },
  });
  out.textContent = text(Number(input.value));
  return el('span', {class: 'control'}, el('label', {for: id}, label), input, out);
}

// A button that stays pressed.
function toggle(label, pressed, act, attributes) {
  const button = el('button', {
    type: 'button', 'aria-pressed': String(pressed), ...attributes,
    onclick: () => {
      pressed = !pressed;
      button.setAttribute('aria-pressed', String(pressed));
      act(pressed);
    },
  }, label);
  return button;
}

// What is not as runs write it costs the part of the page that shows it, and no more.
function guarded(place, draw) {
  try {
    draw(place);
  } catch (error) {
    place.append(el('p', {class: 'warning'}, `What belongs here cannot be drawn, for it is not as runs write it: ${error.message}`));
  }
}

// Sections that have several runs to show show one, which is chosen here; `draw` fills the place.
function perRun(node, which, draw) {
  const place = el('div');
  const show = i => guarded(clear(place), inner => draw(inner, which[i]));
  if (which.length > 1) node.append(choice('run', which.map(run => run.name), show));
  node.append(place);
  show(0);
}

// A table whose columns sort. columns: [{title, text(row), value(row), left}]; value sorts, text shows.
function sortable(caption, columns, rows) {
  const body = el('tbody');
  const heads = columns.map((column, i) => {
    const head = el('th', {scope: 'col', class: column.left ? 'left' : null},
      el('button', {type: 'button', onclick: () => sort(i)}, column.title));
    return head;
  });
  let by = -1, down = false;
  function show(list) {
    clear(body);
    for (const row of list)
      body.append(el('tr', {}, columns.map((column, i) =>
        el(i ? 'td' : 'th', {scope: i ? null : 'row', class: column.left ? 'left' : null}, column.text(row)))));
  }
  function sort(i) {
    down = by === i ? !down : !columns[i].left;
    by = i;
    heads.forEach((head, k) => {
      if (k === i) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    const key = row => columns[i].value(row);
    show(rows.slice().sort((a, b) => {
      const x = key(a), y = key(b);
      const order = typeof x === 'string' ? x.localeCompare(y, 'en', {numeric: true}) : (x ?? -Infinity) - (y ?? -Infinity);
      return down ? -order : order;
    }));
  }
  show(rows);
  return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, heads)), body));
}
