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

function start() {
  showHead();
  showCurves();
  showTables();
  showWorst();
  showPictures();
  showHistograms();
  showTime();
  showRanks();
  showNetwork();
  showJob();
  showHistory();
  document.getElementById('made').textContent = `Made by ${data.program} at ${dateText(data.made)}.`;
  document.getElementById('theme').addEventListener('click', () => setTheme(isDark() ? 'light' : 'dark'));
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme(''));
  let timer = null;
  window.addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(whenResized, 100); });
}

start();
