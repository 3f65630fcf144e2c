// Pages of `dltrain report` in a browser: what is on them, what can be done with them, that nothing goes wrong.
//   node pages.js DLTRAIN CONFIGS
// Ends with 77 where there is no browser.
'use strict';
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const {execFileSync, spawnSync} = require('child_process');
const {write, odd} = require('./written.js');

const [dltrain, configs] = process.argv.slice(2);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dltrain_pages_'));
process.env.OMPI_ALLOW_RUN_AS_ROOT = process.env.OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = '1';

function skip(why) {
  console.log(`skipped: ${why}`);
  fs.rmSync(folder, {recursive: true, force: true});
  process.exit(77);
}

function findBrowser() {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome'])
    for (const place of (process.env.PATH || '').split(':')) if (fs.existsSync(path.join(place, name))) return path.join(place, name);
  return skip('there is no chromium');
}

function run(...args) {
  return execFileSync(dltrain, args, {cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']});
}

const classifier = (name, more) => `[job]
include = ${configs}/classify.ini
name = ${name}
model = small(classes=10)
epochs = 2
[block pair(x, width)]
y = x | conv(width, 3) | relu | conv(width, 3)
out = y + x | relu
[net small(image, classes)]
a = image | conv(8, 3, stride=2) | relu | pair(8) | pair(8)
fc = a | maxpool(2) | flatten | linear(classes)
[data]
train = shapes.h5:train
validate = shapes.h5:test
augment = image | normalize
batch = 24
[validate]
confusion = confusion(logits, label)
[log]
every = 1
${more || ''}`;

const gan = `[job]
include = ${configs}/dcgan.ini
name = gan
epochs = 3
[let]
size = 32
width = 2
[data]
train = shapes.h5:test
validate = shapes.h5:test
augment = image | normalize(mean=0.5, std=0.5)
batch = 20
[log]
every = 1
`;

// The runs: three of one job with other seeds, one with another rate, a GAN, and what no test can train.
function makeRuns() {
  run('data', 'synth', 'shapes.h5', '--train', '240', '--test', '60');
  const jobs = {a: classifier('a'), b: classifier('b'), c: classifier('c'), d: classifier('d', '[let]\nlr = 0.01\n'), gan};
  const seeds = {a: 1, b: 2, c: 3, d: 1};
  for (const [name, text] of Object.entries(jobs)) {
    fs.writeFileSync(path.join(folder, `${name}.ini`), text);
    run('train', `${name}.ini`, ...(seeds[name] ? ['--set', `seed=${seeds[name]}`] : []));
  }
  fs.mkdirSync(path.join(folder, 'runs/long'));
  write(path.join(folder, 'runs/long'));
  makeValues();
  fs.mkdirSync(path.join(folder, 'runs/bare'));
  fs.writeFileSync(path.join(folder, 'runs/bare/metrics.jsonl'),
    '{"step":1,"epoch":0.5,"loss":null,"lr":0.1}\n{"step":2,"epoch":1,"loss":0.25,"lr":0.1}\n{"step":3,"ep');
}

// A regression, of which only what a page reads is there.
function makeValues() {
  const place = path.join(folder, 'runs/values');
  fs.mkdirSync(place);
  fs.writeFileSync(path.join(place, 'job.ini'),
    '[validate]\ns = residuals(found, label, around=5)\nchart = scatter(found, label, 0, 4, bins=2)\n');
  fs.writeFileSync(path.join(place, 'metrics.jsonl'),
    '{"step":1,"epoch":1,"validate":{"s":[19.5,30.25,390],"chart":[[0.5,0.125],[0,0.375]]}}\n');
}

function linesOf(name) {
  return fs.readFileSync(path.join(folder, 'runs', name, 'metrics.jsonl'), 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line));
}

let browser;

// Open the page of some runs; what the browser complains of fails the test.
async function open(names, options = {}) {
  const file = `${names.join('_')}.html`;
  run('report', ...names.map(name => `runs/${name}`), '-o', file, ...(options.args || []));
  const page = await browser.newPage();
  page.complaints = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text()); });
  page.on('pageerror', error => page.complaints.push(error.message));
  page.on('request', request => { if (!/^(file|data):/.test(request.url())) page.complaints.push(`asks for ${request.url()}`); });
  await page.setViewport({width: options.width || 1280, height: 900});
  await page.goto(`file://${path.join(folder, file)}`);
  await page.waitForFunction(() => document.documentElement.dataset.drawn);
  page.bytes = fs.statSync(path.join(folder, file)).size;
  return page;
}

async function close(page) {
  assert.deepStrictEqual(page.complaints, []);
  await page.close();
}

const sections = page => page.$$eval('main section', nodes => nodes.map(node => node.id));
const plotOf = (page, title, what) => page.evaluate((name, text) => {
  const {plot} = window.dltrainReport.charts.get(name);
  return new Function('plot', `return ${text}`)(plot);
}, title, what);
const near = (a, b) => assert.ok(Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(b), 1e-9), `${a} beside ${b}`);

// --- what is there ---

async function sections_are_those_of_what_was_written() {
  const all = {
    a: ['runs', 'curves', 'tables', 'network', 'job', 'history'],
    gan: ['runs', 'curves', 'pictures', 'network', 'job', 'history'],
    long: ['runs', 'curves', 'tables', 'worst', 'pictures', 'histograms', 'time', 'ranks', 'network', 'job', 'history'],
    bare: ['runs', 'curves'],
  };
  for (const [name, expected] of Object.entries(all)) {
    const page = await open([name]);
    const optional = ['a', 'gan'].includes(name) ? ['time', 'worst'] : []; // as [log] asks
    assert.deepStrictEqual((await sections(page)).filter(id => !optional.includes(id)), expected);
    assert.strictEqual(await page.$$eval('nav a', links => links.filter(a => !document.querySelector(a.getAttribute('href'))).length), 0);
    await close(page);
  }
}

async function curves_are_the_numbers_of_the_log() {
  const page = await open(['a']);
  const [of] = await page.evaluate(() => window.dltrainReport.data.runs);
  const steps = linesOf('a').filter(line => !line.validate), validations = linesOf('a').filter(line => line.validate);
  const compare = (lines, get, curve) => {
    assert.deepStrictEqual(curve.step, lines.map(line => line.step));
    lines.forEach((line, i) => near(curve.value[i], get(line)));
  };
  assert.strictEqual(steps.length, 20);
  for (const name of ['loss', 'lr', 'img_per_s'])
    compare(steps, line => line[name], of.curves.find(curve => curve.name === name && !curve.validate));
  for (const name of ['loss', 'top1'])
    compare(validations, line => line.validate[name], of.curves.find(curve => curve.name === name && curve.validate));
  const drawn = await plotOf(page, 'loss', '[Array.from(plot.data[0]), Array.from(plot.data[1])]');
  steps.forEach(line => near(drawn[1][drawn[0].findIndex(x => Math.abs(x - line.epoch) < 1e-9)], line.loss));
  const best = validations.reduce((a, b) => b.validate.top1 > a.validate.top1 ? b : a);
  near(of.best.value, best.validate.top1);
  assert.strictEqual(of.best.step, best.step);
  assert.strictEqual(of.state.is, 'complete');
  await close(page);
}

async function lines_that_are_not_whole_or_not_finite_do_no_harm() {
  const page = await open(['bare']);
  const [of] = await page.evaluate(() => window.dltrainReport.data.runs);
  assert.deepStrictEqual(of.curves.find(curve => curve.name === 'loss'), {name: 'loss', validate: false, step: [1, 2], value: [null, 0.25]});
  await close(page);
}

async function names_are_texts_whatever_they_hold() {
  const page = await open(['long'], {args: ['--title', odd]});
  assert.strictEqual(await page.title(), odd.replace(/\s+/g, ' '));
  assert.strictEqual(await page.$eval('h1', node => node.textContent), odd);
  assert.ok((await page.$eval('.wrong', node => node.textContent)).includes(odd));
  assert.ok((await page.$eval('#history', node => node.textContent)).includes(odd));
  assert.ok((await page.$eval('#runs', node => node.textContent)).includes('1 time'));
  await close(page);
}

async function a_long_run_of_many_ranks_is_small_and_fast() {
  const page = await open(['long']);
  const ready = await page.evaluate(() => performance.getEntriesByType('navigation')[0].domInteractive);
  const done = await page.evaluate(() => Number(document.documentElement.dataset.drawn));
  console.log(`90 epochs of 16 ranks: ${(page.bytes / 1e6).toFixed(2)} MB, answers after ${ready.toFixed(0)} ms, all drawn after ${done.toFixed(0)} ms`);
  assert.ok(page.bytes < 5e6, `${page.bytes} bytes`);
  const [of] = await page.evaluate(() => window.dltrainReport.data.runs);
  const loss = of.curves.find(curve => curve.name === 'loss' && !curve.validate);
  assert.ok(loss.value.length <= 2002 && loss.value.includes(null) && loss.step[loss.step.length - 1] === 450000);
  assert.strictEqual(of.ranks, 16);
  assert.strictEqual(of.best.epoch, 89); // the last is worse
  assert.deepStrictEqual(of.tables.map(table => [table.name, table.epoch, table.best]),
    [['table', 89, true], ['reliability', 89, true], ['table', 90, false], ['reliability', 90, false]]);
  await close(page);
}

async function what_goes_on_inside_is_read_out() {
  const page = await open(['long']);
  await page.select('#curves select', 'time');
  const [from, to] = await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]');
  near(to - from, 449950 / 36000);
  await page.focus('#ranks canvas');
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown');
  assert.match(await page.$eval('#ranks .readout', node => node.textContent), /^rank 5 on node1, epoch .*: computing 30\d(\.\d)? ms, waiting for other ranks 10 ms/);
  const parts = await page.$$eval('#time .legend button', nodes => nodes.map(node => node.textContent));
  assert.deepStrictEqual(parts.slice(0, 6), ['waiting for data0.05', 'forward0.25', 'backward0.45', 'optimiser0.1', 'other0.05', 'communication0.1']);
  assert.match(await page.$eval('#histograms figcaption', node => node.textContent), /layer0.*\(weight\)/);
  await page.select('#histograms select', 'activation');
  assert.match(await page.$eval('#histograms figcaption', node => node.textContent), /layer0.*\(activation\)/);
  assert.strictEqual((await plotOf(page, 'dead units of long', 'plot.series.length')), 21);
  const names = await page.$$eval('#tables select option', nodes => nodes.map(node => node.textContent));
  await page.select('#tables select', names.find(name => name.startsWith('reliability')));
  assert.deepStrictEqual(await plotOf(page, 'reliability of long', 'Array.from(plot.data[1]).filter(v => typeof v === "number").length'), 12);
  await close(page);
}

async function confusion_is_counted_by_class() {
  const page = await open(['a']);
  const last = linesOf('a').filter(line => line.validate).reduce((a, b) => b.validate.top1 > a.validate.top1 ? b : a).validate.confusion;
  const rows = await page.$$eval('#tables tbody tr', nodes => nodes.map(node => [...node.cells].map(cell => cell.textContent)));
  assert.strictEqual(rows.length, 10);
  rows.forEach((row, c) => {
    const labels = last[c].reduce((a, b) => a + b, 0);
    assert.strictEqual(row[0], ['circle', 'square', 'triangle', 'cross', 'ring', 'star', 'crescent', 'bar', 'ell', 'hourglass'][c]);
    assert.strictEqual(Number(row[1]), Math.round(60 * labels));
    if (labels) assert.ok(Math.abs(parseFloat(row[3]) - 100 * last[c][c] / labels) < 0.06, `${row[3]}`);
  });
  await page.click('#tables thead th:nth-child(4) button');
  const recalls = await page.$$eval('#tables tbody tr', nodes => nodes.map(node => parseFloat(node.cells[3].textContent)));
  assert.deepStrictEqual(recalls, recalls.slice().sort((a, b) => b - a));
  await page.focus('#tables canvas');
  await page.keyboard.press('ArrowDown');
  assert.match(await page.$eval('#tables .readout', node => node.textContent), /label square, guess circle: \d+, .*\s%/);
  await close(page);
}

// --- what can be done ---

async function curves_zoom_and_show_what_is_under_the_pointer() {
  const page = await open(['a']);
  const box = await (await page.$('.chart .u-over')).boundingBox();
  const whole = await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]');
  const text = () => page.$eval('.chart .legend .at', node => node.textContent);
  await page.mouse.move(box.x + box.width / 2, box.y + 50);
  const middle = await text();
  await page.mouse.move(box.x + box.width / 4, box.y + 50);
  assert.notStrictEqual(await text(), middle);
  assert.match(middle, /^epoch 1/);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + 50, {steps: 4});
  await page.mouse.up();
  const part = await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]');
  assert.ok(part[1] - part[0] < 0.4 * (whole[1] - whole[0]));
  await page.mouse.click(box.x + 20, box.y + 50, {clickCount: 2});
  assert.deepStrictEqual(await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]'), whole);
  await page.focus('.chart .plot');
  await page.keyboard.press('+');
  const keyed = await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]');
  assert.ok(keyed[1] - keyed[0] < 0.6 * (whole[1] - whole[0]));
  await page.keyboard.press('0');
  assert.deepStrictEqual(await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]'), whole);
  await close(page);
}

async function setRange(page, selector, value) {
  await page.$eval(selector, (node, v) => { node.value = v; node.dispatchEvent(new Event('input', {bubbles: true})); }, value);
}

async function axis_smoothing_and_scale_change_what_is_drawn() {
  const page = await open(['a']);
  const main = () => plotOf(page, 'loss', 'Array.from(plot.data[plot.series.findIndex(s => s.role === "main")])');
  const before = await main();
  await setRange(page, '#curves input[type=range]', 0.9);
  const after = await main();
  const wobble = list => list.filter(v => typeof v === 'number').reduce((sum, v, i, all) => sum + (i ? Math.abs(v - all[i - 1]) : 0), 0);
  assert.ok(wobble(after) < 0.6 * wobble(before), `${wobble(after)} beside ${wobble(before)}`);
  await setRange(page, '#curves input[type=range]', 0);
  await page.click('#log');
  assert.strictEqual(await plotOf(page, 'loss', 'plot.scales.y.distr'), 3);
  await page.click('#log');
  assert.strictEqual(await plotOf(page, 'loss', 'plot.scales.y.distr'), 1);
  await page.select('#curves select', 'step');
  assert.deepStrictEqual(await plotOf(page, 'loss', '[plot.scales.x.min, plot.scales.x.max]'), [1, 20]);
  await page.click('.chart .legend button');
  assert.strictEqual(await plotOf(page, 'loss', 'plot.series[1].show'), false);
  await close(page);
}

async function seeds_are_a_mean_with_its_spread() {
  const page = await open(['a', 'b', 'c', 'd']);
  const labels = () => page.$$eval('.chart .legend button', nodes => nodes.map(node => node.textContent));
  assert.ok((await labels()).some(text => text.includes('2 other seeds')));
  const top1 = await plotOf(page, 'top1', '[Array.from(plot.data[0]), plot.data.slice(1).map(c => Array.from(c)), plot.series.slice(1).map(s => s.role)]');
  const values = ['a', 'b', 'c'].map(name => linesOf(name).filter(line => line.validate)[0].validate.top1);
  const mean = values.reduce((a, b) => a + b) / 3, std = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 2);
  const of = role => top1[1][top1[2].indexOf(role)][0];
  near(of('main'), mean);
  near(of('low'), mean - std);
  near(of('high'), mean + std);
  await page.click('#together');
  assert.ok(!(await labels()).some(text => text.includes('seeds')));
  const differs = await page.$$eval('#job tbody tr', nodes => nodes.map(node => node.cells[0].textContent));
  assert.deepStrictEqual(differs.sort(), ['[job] name', '[job] seed', '[let] lr']);
  const settings = await page.$$eval('#settings .line title', nodes => nodes.map(node => node.textContent));
  assert.strictEqual(settings.length, 4);
  assert.ok(settings.some(text => /^d: .*\[let\] lr 0.01/.test(text)));
  const buttons = await page.$$('[aria-label="Runs"] button');
  assert.strictEqual(buttons.length, 2);
  await close(page);
}

async function pictures_move_in_time() {
  const page = await open(['gan']);
  const source = () => page.$eval('.player img', node => node.src);
  assert.strictEqual(await page.$eval('.player img', node => node.complete && node.naturalWidth > 0), true);
  const last = await source();
  await setRange(page, '.player input', 0);
  const first = await source();
  assert.notStrictEqual(first, last);
  await page.click('.player button');
  await page.waitForFunction(before => document.querySelector('.player img').src !== before, {timeout: 5000}, first);
  await page.click('.player button');
  assert.strictEqual(await page.$eval('.player button', node => node.getAttribute('aria-pressed')), 'false');
  await close(page);
}

async function blocks_open_and_close() {
  const page = await open(['a']);
  const boxes = () => page.$$eval('#network .box', nodes => nodes.length);
  const closed = await boxes();
  await page.$eval('#network .box.block', node => node.dispatchEvent(new MouseEvent('click', {bubbles: true})));
  const opened = await boxes();
  assert.ok(opened > closed);
  await page.$eval('#network .box.block', node => node.focus());
  await page.keyboard.press('Enter');
  assert.ok(await boxes() > opened);
  await page.click('#network [aria-label="Close all blocks"]');
  assert.strictEqual(await boxes(), closed);
  const shown = JSON.parse(run('show', 'a.ini', '--json'));
  const rows = await page.$$eval('#network tbody tr', nodes => nodes.map(node => [...node.cells].map(cell => cell.textContent)));
  const nodes = shown.graphs[0].nodes.filter(node => !['input', 'number'].includes(node.operator));
  assert.deepStrictEqual(rows.map(row => row[2]), nodes.map(node => node.operator));
  assert.strictEqual(rows.reduce((sum, row) => sum + Number(row[4].replace(/,/g, '') || 0), 0), shown.nets[0].parameters);
  await close(page);
}

async function themes_change_by_wish_and_by_button() {
  const page = await open(['a']);
  const colour = () => page.$eval('body', node => getComputedStyle(node).backgroundColor);
  const light = await colour();
  await page.click('#theme');
  const dark = await colour();
  assert.notStrictEqual(dark, light);
  await page.click('#theme');
  assert.strictEqual(await colour(), light);
  await close(page);
}

// Numbers that are texts, lists that are none, dates beyond the calendar, pictures from elsewhere.
async function what_is_not_as_runs_write_it_costs_its_part_alone() {
  const from = path.join(folder, 'runs/long'), to = path.join(folder, 'runs/strange');
  fs.cpSync(from, to, {recursive: true});
  const change = (name, f) => {
    const lines = fs.readFileSync(path.join(to, name), 'utf8').trim().split('\n').map(line => JSON.parse(line));
    fs.writeFileSync(path.join(to, name), f(lines).map(line => JSON.stringify(line) + '\n').join(''));
  };
  change('metrics.jsonl', lines => lines.map((line, i) => i ? line : {...line, time: 1e300, epoch: 'one'}));
  change('histograms.jsonl', lines => lines.map((line, i) => i % 2 ? {step: line.step, epoch: line.epoch} : line));
  change('ranks.jsonl', lines => lines.map(line => ({...line, epoch: {}})));
  change('events.jsonl', lines => [...lines, {time: 'x', event: ['note'], text: 7}]);
  const worst = JSON.parse(fs.readFileSync(path.join(to, 'worst.json'), 'utf8'));
  worst.samples[0] = {...worst.samples[0], picture: 'nowhere.png', uri: 'https://example.org/seen.png', loss: 'much'};
  fs.writeFileSync(path.join(to, 'worst.json'), JSON.stringify(worst));
  const page = await open(['strange', 'long']);
  const ids = await sections(page);
  for (const id of ['runs', 'curves', 'tables', 'worst', 'pictures', 'time', 'ranks', 'network', 'job', 'history']) assert.ok(ids.includes(id), id);
  assert.match(await page.$eval('main', node => node.textContent), /cannot be drawn, for it is not as runs write it/);
  assert.strictEqual(await page.$eval('#worst .nothing', node => node.textContent), 'no picture');
  await close(page);
}

async function a_regression_shows_its_chart_and_no_classes() {
  const page = await open(['values']);
  assert.match(await page.$eval('#tables figcaption', node => node.textContent), /^chart: target upwards/);
  const names = await page.$$eval('#tables select option', nodes => nodes.map(node => node.textContent));
  await page.select('#tables select', names[1]);
  assert.deepStrictEqual(await page.$$eval('#tables tbody td, #tables tbody th', nodes => nodes.map(node => node.textContent)),
    ['0', '19.5', '30.25', '390']);
  assert.ok(!(await page.$eval('#tables', node => node.textContent)).includes('class'));
  await close(page);
}

// What is told of each rank is a table of some hundred columns.
async function a_fault_is_read_without_moving_sideways() {
  const what = `What to do: ${'start the job again '.repeat(10)}`;
  fs.mkdirSync(path.join(folder, 'runs/failed'));
  fs.writeFileSync(path.join(folder, 'runs/failed/metrics.jsonl'), '{"step":1,"epoch":0.5,"loss":1,"lr":0.1}\n');
  fs.writeFileSync(path.join(folder, 'runs/failed/fault.txt'), `rank 3 on node2: silent\n\n${'rank 3 '.repeat(15)}\n\n${what}\n`);
  const page = await open(['failed', 'bare'], {width: 1200});
  const [width, needed, rows] = await page.$eval('.fault', node => [node.clientWidth, node.scrollWidth, node.textContent]);
  assert.ok(needed <= width && width > 1000, `${needed} of ${width}`);
  assert.ok(rows.includes(what.trim()));
  assert.strictEqual((await page.$$('.fault')).length, 1);
  await close(page);
}

async function ranks_and_hosts_are_those_of_the_last_start() {
  const place = path.join(folder, 'runs/lost'), lines = all => all.map(line => `${JSON.stringify(line)}\n`).join('');
  fs.mkdirSync(place);
  fs.writeFileSync(path.join(place, 'metrics.jsonl'), lines([{step: 10, epoch: 0.5, loss: 1, lr: 0.1}, {step: 20, epoch: 1, loss: 1, lr: 0.1}]));
  fs.writeFileSync(path.join(place, 'events.jsonl'), lines([{time: 17e8, event: 'start', step: 0, ranks: 3}, {time: 17e8 + 9, event: 'start', step: 10, ranks: 2}]));
  fs.writeFileSync(path.join(place, 'ranks.jsonl'), lines([
    {step: 10, epoch: 0.5, ranks: 3, hosts: ['a', 'b', 'c'], compute_s: [1, 1, 1], wait_s: [0, 0, 0], data_s: [0, 0, 0]},
    {step: 20, epoch: 1, ranks: 2, hosts: ['a', 'c'], compute_s: [1, 1], wait_s: [0, 0], data_s: [0, 0]}]));
  const page = await open(['lost']);
  const rows = await page.$$eval('.card dt', nodes => nodes.map(node => `${node.textContent} ${node.nextSibling.textContent}`));
  assert.ok(rows.includes('ranks 2'), rows.join('\n'));
  assert.ok(rows.includes('hosts a, c'), rows.join('\n'));
  await close(page);
}

// --- for everyone ---

async function nothing_is_wider_than_a_phone() {
  for (const names of [['long'], ['a', 'b', 'gan']]) {
    const page = await open(names, {width: 360});
    assert.strictEqual(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    const wide = await page.$$eval('main h2, main h3, main p, main dd, main button, main select, main figcaption', nodes => nodes
      .filter(node => !node.closest('.scroll') && node.getBoundingClientRect().right > 360).map(node => node.outerHTML.slice(0, 100)));
    assert.deepStrictEqual(wide, []);
    await close(page);
  }
}

async function a_wall_is_filled() {
  const page = await open(['long'], {width: 3840});
  assert.ok(await page.$eval('.charts', node => getComputedStyle(node).gridTemplateColumns.split(' ').length) >= 4);
  assert.ok(await page.$eval('body', node => parseFloat(getComputedStyle(node).fontSize)) > 18);
  await close(page);
}

async function keys_reach_every_control() {
  const page = await open(['long']);
  const controls = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]')].filter(node => node.getClientRects().length);
    all.forEach((node, i) => { node.dataset.stop = i; });
    return all.length;
  });
  const seen = new Set();
  let plain = 0;
  for (let i = 0; i < controls + 5; i++) {
    await page.keyboard.press('Tab');
    const [stop, outline] = await page.evaluate(() => {
      const at = document.activeElement, style = getComputedStyle(at), rect = at.querySelector && at.matches('.box') ? getComputedStyle(at.querySelector('rect')) : null;
      return [at.dataset.stop || '', rect ? parseFloat(rect.strokeWidth) >= 3 : style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];
    });
    if (stop) seen.add(stop);
    if (stop && !outline) plain++;
  }
  assert.strictEqual(seen.size, controls);
  assert.strictEqual(plain, 0);
  const unnamed = await page.$$eval('button, select, input, canvas:not([aria-hidden]), [role=button], img', nodes => nodes.filter(node =>
    !(node.textContent.trim() || node.getAttribute('aria-label') || node.getAttribute('alt') || (node.labels && node.labels.length))).map(node => node.outerHTML.slice(0, 100)));
  assert.deepStrictEqual(unnamed, []);
  assert.deepStrictEqual(await page.$$eval('th', nodes => nodes.filter(node => !node.scope).length), 0);
  await close(page);
}

async function what_is_no_run_is_refused() {
  const refuse = (code, message, ...args) => {
    const done = spawnSync(dltrain, ['report', ...args], {cwd: folder, encoding: 'utf8'});
    assert.strictEqual(done.status, code);
    assert.match(done.stderr, message);
    assert.strictEqual(done.stderr.trim().split('\n').length, 1);
  };
  fs.mkdirSync(path.join(folder, 'broken'));
  fs.writeFileSync(path.join(folder, 'broken/metrics.jsonl'), '{"step":1}\n{"step":\n{"step":3}\n');
  refuse(64, /found no run/);
  refuse(64, /a\.ini: is a file, expected the folder of a run/, 'a.ini');
  refuse(74, /nowhere: cannot be read/, 'nowhere');
  fs.mkdirSync(path.join(folder, 'empty'));
  refuse(65, /empty: is no run's folder/, 'empty');
  refuse(65, /broken\/metrics\.jsonl:2: is no JSON/, 'broken', '-o', 'x.html');
  assert.ok(!fs.existsSync(path.join(folder, 'x.html')));
}

const tests = [sections_are_those_of_what_was_written, curves_are_the_numbers_of_the_log, lines_that_are_not_whole_or_not_finite_do_no_harm,
  names_are_texts_whatever_they_hold, a_long_run_of_many_ranks_is_small_and_fast, what_goes_on_inside_is_read_out,
  what_is_not_as_runs_write_it_costs_its_part_alone, confusion_is_counted_by_class,
  curves_zoom_and_show_what_is_under_the_pointer, axis_smoothing_and_scale_change_what_is_drawn, seeds_are_a_mean_with_its_spread,
  pictures_move_in_time, blocks_open_and_close, themes_change_by_wish_and_by_button, a_regression_shows_its_chart_and_no_classes,
  a_fault_is_read_without_moving_sideways, ranks_and_hosts_are_those_of_the_last_start, nothing_is_wider_than_a_phone, a_wall_is_filled, keys_reach_every_control, what_is_no_run_is_refused];

async function main() {
  let puppeteer, failed = 0;
  try {
    puppeteer = require('puppeteer-core');
  } catch {
    skip('there is no puppeteer-core: scripts/install --tests');
  }
  const executablePath = findBrowser();
  makeRuns();
  if (spawnSync(dltrain, ['report', 'runs/bare', '-o', 'try.html'], {cwd: folder}).status === 78) skip('this dltrain is built without uPlot');
  browser = await puppeteer.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb']});
  for (const test of tests) {
    if (process.env.ONLY && !test.name.includes(process.env.ONLY)) continue;
    try {
      await test();
      console.log(`ok      ${test.name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${test.name}\n${error.stack}`);
    }
  }
  await browser.close();
  fs.rmSync(folder, {recursive: true, force: true});
  process.exit(failed ? 1 : 0);
}

main().catch(error => {
  console.log(error.stack);
  process.exit(1);
});
