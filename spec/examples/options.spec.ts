import * as assert from 'uvu/assert';
import { help, parseOptions } from '../../examples/flights/options.ts';
import { BraidError } from '../../lib/base/errors.ts';
import { suite } from '../support/suite.ts';

const test = suite('options of the main job');

function refusal(...args: string[]): BraidError {
  try {
    parseOptions(args);
  } catch (error) {
    if (error instanceof BraidError) return error;
    throw error;
  }
  throw new Error(`${args.join(' ')} was accepted`);
}

test('nothing given: the whole file, paced, with an outage', () => {
  const options = parseOptions([]);
  assert.not.equal(options, 'help');
  if (options === 'help') return;
  assert.is(options.records, 3_000_000);
  assert.is(options.rate, 150_000);
  assert.is(options.outage, true);
  assert.is(options.kafka, false);
  assert.is(options.keep, false);
  assert.is(options.report, undefined);
});

test('everything given', () => {
  assert.equal(
    parseOptions('--rate max --records=7 --threads 0 --no-outage --kafka --keep --report a.json'.split(' ')),
    { rate: Infinity, records: 7, threads: 0, outage: false, kafka: true, keep: true, report: 'a.json' },
  );
});

test('few records are slowed down, so that an outage fits in; an explicit rate is not', () => {
  const short = parseOptions(['--records', '6000']);
  assert.is(short === 'help' ? 0 : short.rate, 1000);
  const explicit = parseOptions(['--records', '6000', '--rate', '99999']);
  assert.is(explicit === 'help' ? 0 : explicit.rate, 99_999);
});

test('help names every option and wins over the rest', () => {
  assert.is(parseOptions(['-h']), 'help');
  assert.is(parseOptions(['--records', '5', '--help']), 'help');
  for (const name of ['rate', 'records', 'threads', 'no-outage', 'kafka', 'keep', 'report', 'help'])
    assert.match(help, `--${name}`);
});

for (const [args, code, text] of [
  ['--recrods 5', 'OPTION_UNKNOWN', '--records'],
  ['--recrods=5', 'OPTION_UNKNOWN', '--records'],
  ['records', 'OPTION_UNKNOWN', '--records'],
  ['--outage', 'OPTION_UNKNOWN', '--no-outage'],
  ['-x', 'OPTION_UNKNOWN', '--rate'],
  ['--__proto__ 1', 'OPTION_UNKNOWN', '--rate'],
  ['--records', 'OPTION_INVALID', 'needs a value'],
  ['--records=', 'OPTION_INVALID', 'needs a value'],
  ['--report --keep', 'OPTION_INVALID', 'needs a value'],
  ['--records 0', 'OPTION_INVALID', 'from 1 to 3000000'],
  ['--records 3000001', 'OPTION_INVALID', 'from 1 to 3000000'],
  ['--records 1e3', 'OPTION_INVALID', 'whole number'],
  ['--records -5', 'OPTION_INVALID', 'needs a value'],
  ['--records=-5', 'OPTION_INVALID', 'whole number'],
  ['--rate fast', 'OPTION_INVALID', '--rate max'],
  ['--threads 65', 'OPTION_INVALID', 'from 0 to 64'],
  ['--keep=yes', 'OPTION_INVALID', 'takes no value'],
  ['--records 5 --records 6', 'OPTION_INVALID', 'twice'],
] as const)
  test(`${args}: ${code}, and says ${text}`, () => {
    const error = refusal(...args.split(' '));
    assert.is(error.code, code);
    assert.match(error.describe(), text);
  });

test.run();
