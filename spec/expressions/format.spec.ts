import * as assert from 'uvu/assert';
import { dataType } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { aggregate } from '../../lib/expressions/aggregates.ts';
import { call, caseWhen, cast, column, literal } from '../../lib/expressions/build.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import { formatAggregate, formatExpression } from '../../lib/expressions/format.ts';
import { branch } from '../support/arbitrary-expression.ts';
import { suite } from '../support/suite.ts';

const spec = suite('expressions as SQL');

const bids = schemaOf([
  { name: 'price', type: dataType('BIGINT', false) },
  { name: 'auction', type: dataType('BIGINT', false) },
  { name: 'date time', type: dataType('TIMESTAMP', false) },
  { name: 'open', type: dataType('BOOLEAN', true) },
  { name: 'channel', type: dataType('STRING', true) },
]);
const price = column(bids, 'price');
const auction = column(bids, 'auction');
const open = column(bids, 'open');
const channel = column(bids, 'channel');
const when = column(bids, 'date time');

const examples: readonly (readonly [Expression, string])[] = [
  [
    call('and', [
      call('>', [call('*', [price, literal(2)]), literal(100)]),
      call('=', [call('%', [auction, literal(3)]), literal(1)]),
    ]),
    'price * 2 > 100 AND auction % 3 = 1',
  ],
  [call('*', [call('+', [price, literal(1)]), literal(2)]), '(price + 1) * 2'],
  [call('+', [call('*', [price, literal(1)]), literal(2)]), 'price * 1 + 2'],
  [call('-', [price, call('-', [auction, literal(1)])]), 'price - (auction - 1)'],
  [call('-', [call('-', [price, auction]), literal(1)]), 'price - auction - 1'],
  [call('-', [price, literal(-1)]), 'price - -1'],
  [call('negate', [call('negate', [price])]), '-(-price)'],
  [call('negate', [literal(-1)]), '-(-1)'],
  [call('or', [open, call('and', [open, open])]), 'open OR open AND open'],
  [call('and', [open, call('or', [open, open])]), 'open AND (open OR open)'],
  [call('not', [call('and', [open, open])]), 'NOT (open AND open)'],
  [call('and', [call('not', [open]), open]), 'NOT open AND open'],
  [call('isNull', [call('=', [price, auction])]), '(price = auction) IS NULL'],
  [call('=', [call('isNotNull', [price]), open]), '(price IS NOT NULL) = open'],
  [call('=', [channel, literal("it's")]), "channel = 'it''s'"],
  [call('coalesce', [channel, literal('none')]), "COALESCE(channel, 'none')"],
  [call('floorTo', [when, literal('HOUR')]), 'FLOOR(`date time` TO HOUR)'],
  [call('>=', [when, literal(0, 'TIMESTAMP')]), "`date time` >= TIMESTAMP '1970-01-01 00:00:00.000'"],
  [cast(price, 'DOUBLE'), 'CAST(price AS DOUBLE)'],
  [cast(channel, 'TIMESTAMP'), 'CAST(channel AS TIMESTAMP(3))'],
  [caseWhen([branch(open, literal(1))], literal(0)), 'CASE WHEN open THEN 1 ELSE 0 END'],
  [caseWhen([branch(open, literal(0.5))]), 'CASE WHEN open THEN 0.5 ELSE NULL END'],
];
for (const [expression, wanted] of examples) spec(wanted, () => assert.is(formatExpression(expression, bids), wanted));

spec('aggregates', () => {
  assert.is(formatAggregate(aggregate('COUNT'), bids), 'COUNT(*)');
  assert.is(
    formatAggregate(aggregate('SUM', price, call('>', [price, literal(5)])), bids),
    'SUM(price) FILTER (WHERE price > 5)',
  );
});

spec.run();
