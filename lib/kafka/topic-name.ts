import { BraidError } from '../base/errors.ts';

/** kafkajs and user code keep plain objects by topic: these names would reach their prototype. */
const refused = new Set(['__proto__', 'constructor', 'prototype']);

/** Kafka's rule: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`. TOPIC_NAME_INVALID otherwise. */
export function checkTopicName(topic: string): void {
  const reason = refused.has(topic)
    ? 'is a name that JavaScript objects reserve'
    : topic === ''
      ? 'is empty'
      : topic === '.' || topic === '..'
        ? 'is a path'
        : topic.length > 249
          ? 'is longer than 249 characters'
          : /^[a-zA-Z0-9._-]+$/.test(topic)
            ? undefined
            : 'holds a character that topics cannot have';
  if (reason === undefined) return;
  const shown = JSON.stringify(topic.slice(0, 60));
  throw new BraidError('TOPIC_NAME_INVALID', `the topic name ${shown} ${reason}`, {
    place: topic.slice(0, 60),
    hint: 'use 1 to 249 letters, digits, dots, underscores and hyphens',
  });
}
