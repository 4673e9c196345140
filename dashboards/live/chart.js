/** The throughput of the last five minutes as SVG paths. */
import { byId, setText } from './element.js';
import { count } from './format.js';

const WIDTH = 600;
const HEIGHT = 120;
const MARGIN = 6;

function path(values, top) {
  const step = WIDTH / Math.max(values.length - 1, 1);
  return values
    .map((value, index) => {
      const y = HEIGHT - MARGIN - (value / top) * (HEIGHT - 2 * MARGIN);
      return `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}

function draw(svg, className, d) {
  let shape = svg.querySelector(`.${className}`);
  if (shape === null) {
    shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    shape.setAttribute('class', className);
    svg.append(shape);
  }
  shape.setAttribute('d', d);
}

export function drawThroughput(series) {
  // The last step is still filling and would always look like a fall.
  const total = series.total.slice(0, -1);
  const errors = series.errors.slice(0, -1);
  const top = Math.max(...total, 1);
  const svg = byId('throughput');
  const line = path(total, top);
  draw(svg, 'area', `${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`);
  draw(svg, 'total', line);
  draw(svg, 'errors', path(errors, top));
  const most = Math.max(...total, 0);
  setText(
    byId('throughput-note'),
    `Highest ${count(most)} in ${count(series.step_seconds)} s; errors in red (${count(errors.reduce((sum, value) => sum + value, 0))}).`,
  );
}
