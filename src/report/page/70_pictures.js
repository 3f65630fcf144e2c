// Pictures over time, and the samples that are most wrong.

function picturePlayer(run, name, frames) {
  const image = el('img', {alt: '', class: 'pixels'}), caption = el('figcaption');
  let at = frames.length - 1, timer = null;
  const show = i => {
    at = i;
    image.src = frames[i].uri;
    const epoch = interpolate(run.clock.step, run.clock.epoch, frames[i].step);
    caption.textContent = `${name}, step ${fmt(frames[i].step)}${epoch === null ? '' : `, epoch ${fmt(epoch)}`}`;
    image.alt = `Picture ${caption.textContent}`;
  };
  const range = slider('step', {min: 0, max: frames.length - 1, step: 1, value: at}, i => fmt(frames[i].step), i => show(i));
  const input = range.querySelector('input');
  const stop = () => { clearInterval(timer); timer = null; play.textContent = '▶ play'; play.setAttribute('aria-pressed', 'false'); };
  const play = el('button', {type: 'button', 'aria-pressed': 'false', onclick: () => {
    if (timer) { stop(); return; }
    play.textContent = '⏸ pause';
    play.setAttribute('aria-pressed', 'true');
    timer = setInterval(() => {
      if (!image.isConnected) { stop(); return; }
      input.value = (at + 1) % frames.length;
      input.dispatchEvent(new Event('input'));
    }, 400);
  }}, '▶ play');
  show(at);
  return el('figure', {class: 'player'}, caption, image, frames.length > 1 ? el('div', {class: 'bar'}, play, range) : null);
}

function showPictures() {
  const which = runs.filter(run => run.pictures);
  if (!which.length) return;
  const node = section('pictures', 'Pictures');
  perRun(node, which, (place, run) => {
    const row = el('div', {class: 'players'});
    for (const [name, frames] of Object.entries(run.pictures)) row.append(picturePlayer(run, name, frames));
    place.append(row);
  });
}

function worstCard(sample) {
  const named = (name, number) => name || (number === undefined || number === null ? '–' : `class ${number}`);
  const title = sample.name || `sample ${sample.index}`;
  return el('figure', {class: 'wrong'},
    sample.uri ? el('img', {src: sample.uri, alt: `Sample ${title}`, class: 'pixels'}) : el('span', {class: 'nothing'}, 'no picture'),
    el('figcaption', {}, el('strong', {}, `${named(sample.guess_name, sample.guess)} ${sample.p === undefined ? '' : percent(sample.p)}`),
      el('span', {}, `is ${named(sample.label_name, sample.label)} ${sample.p_label === undefined ? '' : percent(sample.p_label)}`),
      el('span', {}, `loss ${fmt(sample.loss)}`), el('span', {class: 'file'}, title)));
}

function showWorst() {
  const which = runs.filter(run => run.worst && run.worst.samples && run.worst.samples.length);
  if (!which.length) return;
  const node = section('worst', 'Most wrong', 'Samples of the validation with the largest loss: what was guessed, and what it is.');
  perRun(node, which, (place, run) => place.append(
    el('p', {}, `At epoch ${fmt(run.worst.epoch)}.`), el('div', {class: 'wrongs'}, run.worst.samples.map(worstCard))));
}
