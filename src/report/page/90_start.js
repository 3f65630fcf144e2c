// The page as a whole: sections in order, colours, another width.

function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  for (const [title, {element, spec}] of [...charts])
    if (element.isConnected) drawChart(element, spec);
    else charts.delete(title);
  redrawHeats();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : window.matchMedia('(prefers-color-scheme: dark)').matches;
}

function whenResized() {
  resizeCharts();
  redrawHeats();
}

// The rest of the page, section after section, between which the browser answers.
function drawNext(rest) {
  if (rest.length) {
    guarded(document.getElementById('main'), rest[0]);
    setTimeout(drawNext, 0, rest.slice(1));
    return;
  }
  document.documentElement.dataset.drawn = performance.now();
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target) target.scrollIntoView();
}

function start() {
  const main = document.getElementById('main');
  guarded(main, showHead);
  guarded(main, showCurves);
  document.getElementById('made').textContent = `Made by ${data.program} at ${dateText(data.made)}.`;
  document.getElementById('theme').addEventListener('click', () => setTheme(isDark() ? 'light' : 'dark'));
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme(''));
  let timer = null;
  window.addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(whenResized, 100); });
  setTimeout(drawNext, 0, [showSettings, showTables, showWorst, showPictures, showHistograms, showTime, showRanks, showNetwork, showJob, showHistory]);
}

start();
