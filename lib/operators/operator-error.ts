import { BraidError, toBraidError } from '../base/errors.ts';

/** What was thrown while an operator ran, with the operator's name before the place. */
export function operatorError(thrown: unknown, name: string): BraidError {
  const { code, message, place, hint, retriable } = toBraidError(thrown, 'OPERATOR_CRASHED');
  const where = place === undefined ? name : `${name}, ${place}`;
  return new BraidError(code, message, { place: where, hint, retriable, cause: thrown });
}
