export { type BackoffOptions, backoff, backoffMs } from './backoff.ts'
export type { Brand } from './brand.ts'
export { BoundedMap } from './bounded-map.ts'
export { type Clock, systemClock } from './clock.ts'
export {
  Fault,
  type FaultCode,
  type FaultData,
  type FaultDetails,
  type FaultKind,
  faultFrom,
  faults,
  reasonOf,
} from './faults.ts'
export { gathered } from './gathered.ts'
export { type Ids, randomIds } from './ids.ts'
export { limiter } from './limiter.ts'
export { assertNever } from './never.ts'
export { Secret } from './secret.ts'
export { type SettingSources, withSettings } from './settings.ts'
export { orAborted } from './or-aborted.ts'
export { SoleWork } from './sole-work.ts'
export { fileHeader, filePadding, tarEnd, wholeFile } from './tar-blocks.ts'
export { type Throttle, throttle } from './throttle.ts'
export { type Turns, turns } from './turns.ts'
export { productVersion } from './version.ts'
