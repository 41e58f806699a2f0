import * as assert from 'uvu/assert';
import { Silence } from '../../actors/silence.ts';
import { suite } from '../support/suite.ts';

const silence = suite('silence');

function subject() {
  const traffic = { inFlight: 0, answers: 0, onClosed: undefined };
  return { traffic, silence: new Silence(traffic, 50, 0) };
}

silence('counts only while requests wait', () => {
  const { traffic, silence: subjectUnderTest } = subject();
  assert.is(subjectUnderTest.tick(50), 'idle');
  traffic.inFlight = 1;
  assert.is(subjectUnderTest.tick(100), 'waiting');
  assert.is(subjectUnderTest.tick(150), 'waiting');
  assert.is(subjectUnderTest.silentMs, 100);
});

silence('ends with any answer', () => {
  const { traffic, silence: subjectUnderTest } = subject();
  traffic.inFlight = 2;
  subjectUnderTest.tick(50);
  traffic.answers = 1;
  assert.is(subjectUnderTest.tick(100), 'answered');
  assert.is(subjectUnderTest.silentMs, 0);
  assert.is(subjectUnderTest.lastAnswerAt, 100);
});

silence('time in which our own loop was late does not count', () => {
  const { traffic, silence: subjectUnderTest } = subject();
  traffic.inFlight = 1;
  subjectUnderTest.tick(50);
  subjectUnderTest.tick(5_000);
  assert.is(subjectUnderTest.silentMs, 150);
});

silence.run();
