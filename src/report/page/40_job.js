// What the runs are: how they went, the job as resolved, what they said while they ran.

const stateMarks = {complete: '✓', stopped: '⏸', failed: '✗', running: '▶', unknown: '?'};

function hostText(run) {
  const hosts = [...new Set(run.hosts || [])];
  return hosts.length ? hosts.length > 3 ? `${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more` : hosts.join(', ') : null;
}

function bestText(run) {
  const b = run.best;
  if (!b) return null;
  return `${b.measure} ${fmt(b.value)}${b.error ? ` ± ${fmt(b.error)}` : ''} at epoch ${fmt(b.epoch)}`;
}

// How often a run went on after it had ended: it says each time that it starts.
function resumes(run) {
  const starts = (run.history || []).filter(e => e.event === 'start').length;
  return starts ? starts - 1 : null;
}

// Of the last start, as the hosts are: fewer where some were lost.
function ranksOf(run) {
  const starts = (run.history || []).filter(e => e.event === 'start');
  return starts.length ? starts[starts.length - 1].ranks : run.ranks;
}

function headRows(run) {
  const nets = run.network ? run.network.nets : [];
  const wanted = run.epochs_wanted ? ` of ${fmt(run.epochs_wanted)}` : '';
  const again = resumes(run);
  return [
    ['best', bestText(run)],
    ['epochs', run.step ? `${fmt(run.epoch)}${wanted} (${fmt(run.step)} steps)` : null],
    ['began', run.began ? dateText(run.began) : null],
    ['took', duration(run.seconds)],
    ['ranks', ranksOf(run) ? fmt(ranksOf(run)) : null],
    ['hosts', hostText(run)],
    ['parameters', nets.length ? nets.map(net => nets.length > 1 ? `${net.name} ${fmt(net.parameters)}` : fmt(net.parameters)).join(', ') : null],
    ['resumed', again ? `${again} time${again > 1 ? 's' : ''}` : null],
    ['folder', run.folder],
  ].filter(row => row[1]);
}

function card(run) {
  const [first, ...rest] = run.state.text.trim().split('\n');
  return el('article', {class: rest.length ? 'card wide' : 'card'},
    el('h3', {}, run.name),
    el('p', {class: `state ${run.state.is}`}, `${stateMarks[run.state.is] || '?'} ${run.state.is}`, el('span', {class: 'why'}, first ? `: ${first}` : '')),
    rest.length ? el('pre', {class: 'fault scroll', tabindex: 0}, rest.join('\n')) : null,
    el('dl', {}, headRows(run).map(([name, text]) => [el('dt', {}, name), el('dd', {}, text)])),
    (run.notes || []).map(text => el('p', {class: 'warning'}, text)));
}

function showHead() {
  const node = section('runs', runs.length > 1 ? 'Runs' : 'Run');
  const cards = el('div', {class: 'cards'});
  for (const run of runs) guarded(cards, () => cards.append(card(run)));
  if (runs.length > 1) node.append(runTable());
  node.append(runs.length > 8 ? el('details', {}, el('summary', {}, 'Each run'), cards) : cards);
}

// Several runs, by their last and best numbers.
function runTable() {
  const measures = [...new Set(runs.flatMap(run => run.curves.filter(c => c.validate).map(c => c.name)))];
  const last = (run, name) => lastOf((run.curves.find(c => c.validate && c.name === name) || {value: []}).value);
  return sortable('Runs: measures of the last validation', [
    {title: 'run', text: run => run.name, value: run => run.name, left: true},
    {title: 'state', text: run => run.state.is, value: run => run.state.is, left: true},
    {title: 'best', text: run => run.best ? fmt(run.best.value) : '–', value: run => run.best ? run.best.value : null},
    ...measures.map(name => ({title: name, text: run => fmt(last(run, name)), value: run => last(run, name)})),
    {title: 'epochs', text: run => fmt(run.epoch), value: run => run.epoch},
    {title: 'seconds', text: run => fmt(run.seconds), value: run => run.seconds},
  ], runs);
}

// --- the job's text ---

// A line of a job in colours: sections, keys, comments, texts, numbers, calls.
function paintLine(line) {
  const head = line.match(/^\[.*\]\s*$/), comment = line.match(/^\s*[;#].*$/);
  if (head) return [el('span', {class: 'c-head'}, line)];
  if (comment) return [el('span', {class: 'c-comment'}, line)];
  const entry = line.match(/^([^\s=][^=]*?)(\s*=\s*)(.*)$/);
  const out = entry ? [el('span', {class: 'c-key'}, entry[1]), entry[2]] : [];
  const pattern = /("[^"]*"?)|([A-Za-z_][\w]*)(?=\s*\()|(\b\d[\d.]*(?:e[+-]?\d+)?\b)|([|^()[\],])/gi;
  const text = entry ? entry[3] : line;
  let at = 0;
  for (const m of text.matchAll(pattern)) {
    out.push(text.slice(at, m.index));
    out.push(el('span', {class: m[1] ? 'c-text' : m[2] ? 'c-call' : m[3] ? 'c-number' : 'c-mark'}, m[0]));
    at = m.index + m[0].length;
  }
  out.push(text.slice(at));
  return out;
}

function jobText(run) {
  const code = el('code');
  for (const line of run.job.split('\n')) code.append(...paintLine(line), '\n');
  return el('pre', {class: 'job scroll', tabindex: 0, 'aria-label': `Job of ${run.name}`}, code);
}

// Keys that not all runs have alike.
function differences(which) {
  const names = [...new Set(which.flatMap(run => run.entries.map(e => `[${e.section}] ${e.key}`)))];
  const maps = which.map(run => new Map(run.entries.map(e => [`[${e.section}] ${e.key}`, e.value])));
  const rows = names.map(name => ({name, values: maps.map(map => map.get(name))}))
    .filter(row => row.values.some(v => v !== row.values[0]));
  if (!rows.length) return el('p', {}, 'The jobs are the same.');
  return sortable('What differs in the jobs', [
    {title: 'key', text: row => row.name, value: row => row.name, left: true},
    ...which.map((run, i) => ({title: run.name, text: row => row.values[i] ?? '–', value: row => row.values[i] ?? '', left: true})),
  ], rows);
}

function showJob() {
  const which = runs.filter(run => run.job);
  if (!which.length) return;
  const node = section('job', which.length > 1 ? 'Jobs' : 'Job', 'As resolved: what was included and set is in it.');
  if (which.length > 1) node.append(differences(which));
  perRun(node, which, (place, run) => place.append(jobText(run)));
}

// --- what was said ---

function showHistory() {
  const which = runs.filter(run => run.history && run.history.length);
  if (!which.length) return;
  const node = section('history', 'How it ran');
  perRun(node, which, (place, run) => place.append(el('ol', {class: 'history'}, run.history.map(e => {
    const where = [e.time ? dateText(e.time) : null, e.step === undefined ? null : `step ${fmt(e.step)}`].filter(Boolean).join(', ');
    const rest = e.event === 'start' ? `on ${fmt(e.ranks)} rank${e.ranks === 1 ? '' : 's'}` : e.text || '';
    return el('li', {class: e.event}, el('span', {class: 'when'}, where), ` ${e.event}${e.state ? `, ${e.state}` : ''}${rest ? `: ${rest}` : ''}`);
  }))));
}
