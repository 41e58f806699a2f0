import type { Api } from './api.ts';
import { apiVersions } from './handlers/api-versions.ts';
import { createTopics } from './handlers/create-topics.ts';
import { fetch } from './handlers/fetch.ts';
import { listOffsets } from './handlers/list-offsets.ts';
import { metadata } from './handlers/metadata.ts';
import { produce } from './handlers/produce.ts';

/** Every API that the embedded cluster serves. */
export const apis: readonly Api[] = [produce, fetch, listOffsets, metadata, apiVersions, createTopics];

const byKey = new Map(apis.map(api => [api.key, api]));
const byName = new Map(apis.map(api => [api.name, api]));

export function apiOf(keyOrName: number | string): Api | undefined {
  return typeof keyOrName === 'number' ? byKey.get(keyOrName) : byName.get(keyOrName);
}
