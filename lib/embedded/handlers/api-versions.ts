import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

/**
 * ApiVersions: the only API with a flexible version here. Its response header is always version 0, and a version that
 * is not known gets error 35 in the form of version 0, so that a client of any age can read it.
 */
export const apiVersions: Api = {
  key: 18,
  name: 'ApiVersions',
  min: 0,
  max: 3,
  handle(request) {
    const { version, body, injectedError, apis } = request;
    const out = new ByteWriter();
    if (version > 3) {
      out.int16(kafkaError.UNSUPPORTED_VERSION).int32(1).int16(18).int16(0).int16(3);
      return out;
    }
    if (version === 3) {
      body.nullableCompactString();
      body.nullableCompactString();
      body.taggedFields();
    }
    const served = injectedError === 0 ? apis : [];
    out.int16(injectedError);
    if (version === 3) out.unsignedVarint(served.length + 1);
    else out.int32(served.length);
    for (const api of served) {
      out
        .int16(api.key)
        .int16(api.advertisedMin ?? api.min)
        .int16(api.max);
      if (version === 3) out.unsignedVarint(0);
    }
    if (version >= 1) out.int32(0);
    if (version === 3) out.unsignedVarint(0);
    return out;
  },
};
