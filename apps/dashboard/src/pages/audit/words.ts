import type { AuditRecordView } from '@gantry/facade-native/views'

const meanings: Readonly<Record<string, string>> = {
  101: 'a stream was opened',
  400: 'it was not understood',
  401: 'not signed in',
  403: 'not allowed, or over quota',
  404: 'nothing there',
  409: 'not in its present state',
  413: 'too large',
  429: 'too many requests',
  500: 'the server failed',
  501: 'not offered',
  503: 'the server was too busy, or something it needs was away',
}

/** `403: not allowed, or over quota`. */
export function reasonText({ reason: { reasonCode } }: Pick<AuditRecordView, 'reason'>): string {
  const meaning = meanings[reasonCode]
  return meaning === undefined ? reasonCode : `${reasonCode}: ${meaning}`
}

/** What it was done to: `containers/web` of `/v1/containers/web/stop`; the whole path where it names nothing. */
export function objectText({ target, requestPath }: Pick<AuditRecordView, 'target' | 'requestPath'>): string {
  if (target.id === 'unknown') return requestPath
  const [noun] = target.name.match(/[^/]+(?=\/:)/) ?? []
  return noun === undefined ? target.id : `${noun}/${target.id}`
}

/** The id of the container that it was done to; undefined if it was something else, or only a name was given. */
export function containerOf({ requestPath }: Pick<AuditRecordView, 'requestPath'>): string | undefined {
  return /\/containers\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?=\/|$)/.exec(requestPath)?.[1]
}

/** A name, else the beginning of an id. */
export function whoText({ initiator: { id, name } }: Pick<AuditRecordView, 'initiator'>): string {
  if (name !== null) return name
  return id === 'unknown' ? 'nobody known' : id.slice(0, 8)
}
