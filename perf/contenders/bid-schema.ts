import { schema, t } from '../../lib/index.ts';

/** Three of a bid's seven fields. */
export const bid = schema({
  auction: t.bigint().notNull(),
  price: t.bigint().notNull(),
  dateTime: t.timestamp().notNull(),
});
