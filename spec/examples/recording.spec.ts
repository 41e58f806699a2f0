import * as assert from 'uvu/assert';
import { animatedSvg } from '../../examples/recording/animated-svg.ts';
import { TerminalWindow } from '../../examples/recording/terminal.ts';
import { suite } from '../support/suite.ts';

const test = suite('recording of the live view');

const text = (window: TerminalWindow) => window.snapshot().map(line => line.map(cell => cell.text).join(''));

test('the window shows what a terminal would: overwriting, erasing, scrolling', () => {
  const window = new TerminalWindow(5, 3);
  window.write('one\r\ntwo\r\n');
  assert.equal(text(window), ['one', 'two', '']);
  window.write('\u001b[2A\rONE\u001b[K\r\nt\u001b[K\r\n\u001b[J');
  assert.equal(text(window), ['ONE', 't', '']);
  window.write('a\r\nbcdefgh\r\n');
  assert.equal(text(window), ['a', 'bcdef', '']);
  window.write('\u001b[2J\u001b[Hx');
  assert.equal(text(window), ['x', '', '']);
});

test('sequences may be cut anywhere, and unknown ones leave no trace', () => {
  const output = '\u001b[?25l\u001b[?2026ha\u001b[1m\u001b[31mb\u001b[39m\u001b[22mc\u001b[2md\u001b[0m\u001b[?25h';
  for (let cut = 0; cut <= output.length; cut++) {
    const window = new TerminalWindow(10, 1);
    window.write(output.slice(0, cut));
    window.write(output.slice(cut));
    assert.equal(window.snapshot()[0], [
      { text: 'a', color: undefined, bold: false, dim: false },
      { text: 'b', color: 1, bold: true, dim: false },
      { text: 'c', color: undefined, bold: false, dim: false },
      { text: 'd', color: undefined, bold: false, dim: true },
    ]);
  }
});

test('the SVG writes a line once, moves from frame to frame, and escapes what is markup', () => {
  const window = new TerminalWindow(10, 2);
  window.write('same\r\n<a>&');
  const first = window.snapshot();
  window.write('\r██▌░');
  const svg = animatedSvg(
    [
      { lines: first, seconds: 1 },
      { lines: window.snapshot(), seconds: 3 },
    ],
    10,
    'a "title"',
  );
  assert.is(svg.split('>same<').length, 2);
  assert.match(svg, '&#60;a&#62;&#38;');
  assert.match(svg, 'a &#34;title&#34;');
  assert.match(svg, '25%{transform:translateX(-112px)}');
  assert.match(svg, '4s steps(1,end) infinite');
  assert.is(svg.match(/<rect x=/g)?.length, 2);
  assert.not.match(svg, /<script|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
});

test.run();
