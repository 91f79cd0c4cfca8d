/**
 * The one error table. A fault says what failed, on which object, and what to do next; its `kind` tells a façade which
 * status to answer, `retry` tells a client whether the same call may succeed later. Nothing below a façade knows HTTP.
 */
export type FaultKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'over-quota'
  | 'too-many'
  | 'too-large'
  | 'unsupported'
  | 'unavailable'
  | 'internal'

interface FaultRow {
  readonly kind: FaultKind
  readonly retry: boolean
  readonly text: string
}

export const faults = {
  'request.invalid': { kind: 'invalid', retry: false, text: '{problem}' },
  'request.no-route': { kind: 'not-found', retry: false, text: 'There is no {method} {path} here.' },
  'request.too-large': { kind: 'too-large', retry: false, text: 'The request is larger than {limit} bytes.' },
  'request.limited': {
    kind: 'too-many',
    retry: true,
    text: 'Too many {limit}; try again in {seconds} s.',
  },
  'request.crowded': {
    kind: 'unavailable',
    retry: true,
    text: 'The server has {limit} {what} under way, which is the most; try again in a moment.',
  },
  'request.unsupported': { kind: 'unsupported', retry: false, text: '{feature} is not available here: {reason}.' },
  'auth.required': { kind: 'unauthenticated', retry: false, text: 'A valid token is required: {reason}.' },
  'auth.scope': {
    kind: 'unauthenticated',
    retry: false,
    text: 'This token is not for {action} on {type} {name}; ask for one that is.',
  },
  'auth.failed': { kind: 'unauthenticated', retry: false, text: 'The user name, password or token was not accepted.' },
  'auth.slowed': {
    kind: 'unauthenticated',
    retry: true,
    text: 'Too many failed log-ins for this user; try again in {seconds} s.',
  },
  'auth.no-access': { kind: 'unauthenticated', retry: false, text: 'User {user} has no access to {scope}.' },
  'auth.busy': {
    kind: 'unavailable',
    retry: true,
    text: 'Too many log-ins at the same time; try again in a moment.',
  },
  'policy.forbidden': { kind: 'forbidden', retry: false, text: '{action} is not allowed: {reason}.' },
  /** A field of a request in the Engine API's words. */
  'policy.field': { kind: 'forbidden', retry: false, text: '{field} is not allowed by this service: {reason}.' },
  'container.not-found': { kind: 'not-found', retry: false, text: 'Container {ref} could not be found.' },
  'container.ambiguous': {
    kind: 'conflict',
    retry: false,
    text: 'Several containers are named {name}; use the id of the one you mean.',
  },
  'container.name-taken': { kind: 'conflict', retry: false, text: 'A container named {name} already exists.' },
  'container.state': {
    kind: 'conflict',
    retry: false,
    text: 'Cannot {action} container {ref} while it is {status}; that needs: {allowed}.',
  },
  'container.not-interactive': {
    kind: 'invalid',
    retry: false,
    text: 'Container {ref} was not created interactive; create it with --interactive to attach.',
  },
  'project.busy': {
    kind: 'unavailable',
    retry: true,
    text: 'Your project has {limit} logs, commands and copies under way, which is the most; end some and try again.',
  },
  'container.no-host': { kind: 'conflict', retry: true, text: 'Container {ref} is not on a host yet.' },
  'container.exec-not-found': { kind: 'invalid', retry: false, text: 'No running exec {exec} in container {ref}.' },
  'container.path-not-found': { kind: 'invalid', retry: false, text: 'No path {path} in container {ref}.' },
  'capsule.not-found': { kind: 'not-found', retry: false, text: 'Capsule {ref} could not be found.' },
  'capsule.ambiguous': {
    kind: 'conflict',
    retry: false,
    text: 'Several capsules are named {name}; use the id of the one you mean.',
  },
  'capsule.member': {
    kind: 'conflict',
    retry: false,
    text: 'Container {ref} belongs to a capsule and lives and ends with it.',
  },
  'console.refused': {
    kind: 'forbidden',
    retry: false,
    text: 'This session cannot be opened: its token was used already, has expired or is not valid. Ask for a new one.',
  },
  'network.not-found': { kind: 'not-found', retry: false, text: 'The {type} {ref} could not be found.' },
  'network.ambiguous': {
    kind: 'conflict',
    retry: false,
    text: 'Several {type}s are named {name}; use the id of the one you mean.',
  },
  'network.in-use': { kind: 'conflict', retry: false, text: 'The {type} {ref} is in use: {reason}.' },
  'network.conflict': { kind: 'conflict', retry: false, text: '{problem}' },
  'network.name-taken': { kind: 'conflict', retry: false, text: 'A network named {name} already exists.' },
  'network.overlap': {
    kind: 'forbidden',
    retry: false,
    text: 'Subnet {cidr} overlaps with {other} of the same project.',
  },
  'port.allocated': {
    kind: 'conflict',
    retry: false,
    text: 'Port {port}/{protocol} of {address} cannot lead to container {ref}: another running container has it.',
  },
  'port.repeated': {
    kind: 'invalid',
    retry: false,
    text: 'Public port {port}/{protocol} is asked for twice; it can lead to one port of the container.',
  },
  'port.for-one': {
    kind: 'invalid',
    retry: false,
    text: 'Public port {port}/{protocol} cannot lead to {count} containers; leave it out, and each gets a free one.',
  },
  'network.attached': {
    kind: 'invalid',
    retry: false,
    text: 'Container {ref} is connected to network {network} already.',
  },
  'network.not-attached': { kind: 'invalid', retry: false, text: 'Container {ref} is not connected to {network}.' },
  'address.in-use': { kind: 'conflict', retry: false, text: 'Address {address} is in use on its subnet.' },
  'address.none-left': { kind: 'conflict', retry: false, text: 'No free address is left on {subnet}.' },
  'group.present': { kind: 'invalid', retry: false, text: 'Container {ref} is in security group {group} already.' },
  'group.absent': { kind: 'invalid', retry: false, text: 'Container {ref} is not in security group {group}.' },
  'volume.not-found': { kind: 'not-found', retry: false, text: 'The {type} {ref} could not be found.' },
  'volume.ambiguous': {
    kind: 'conflict',
    retry: false,
    text: 'Several {type}s are named {name}; use the id of the one you mean.',
  },
  'volume.bound': {
    kind: 'conflict',
    retry: false,
    text: 'Container {ref} cannot leave its host: volume {volume} is a file on that host. Back the volume up and restore it elsewhere, or keep the data in a volume of Cinder.',
  },
  /** In the host's words. */
  'volume.failed': { kind: 'unavailable', retry: true, text: '{reason}' },
  'volume.in-use': { kind: 'conflict', retry: false, text: 'The {type} {ref} is in use: {reason}.' },
  'volume.state': { kind: 'conflict', retry: false, text: 'The {type} {ref} is {status}; it must be {needed}.' },
  'registry.not-found': { kind: 'not-found', retry: false, text: 'Registry {ref} could not be found.' },
  'registry.ambiguous': {
    kind: 'conflict',
    retry: false,
    text: 'Several registries are named {name}; use the id of the one you mean.',
  },
  /** In the registry's or the engine's own words. */
  'registry.refused': { kind: 'not-found', retry: false, text: '{reason}' },
  'registry.login': { kind: 'unauthenticated', retry: false, text: '{reason}' },
  'registry.unreachable': { kind: 'unavailable', retry: true, text: '{reason}' },
  'webhook.not-found': { kind: 'not-found', retry: false, text: 'Webhook {ref} could not be found.' },
  'webhook.ambiguous': {
    kind: 'conflict',
    retry: false,
    text: 'Several webhooks are named {name}; use the id of the one you mean.',
  },
  'action.not-found': { kind: 'not-found', retry: false, text: 'No action of request {request} on container {ref}.' },
  'image.not-found': { kind: 'not-found', retry: false, text: 'Image {image} could not be found: {reason}' },
  'image.ambiguous': {
    kind: 'invalid',
    retry: false,
    text: 'Several images have ids that begin with {ref}; write more of it.',
  },
  'image.in-use': { kind: 'conflict', retry: false, text: 'Image {image} is used by a container; remove that first.' },
  'image.unsigned': {
    kind: 'forbidden',
    retry: false,
    text: 'Image {image} may not run in your project: {reason}.',
  },
  'repository.invalid': { kind: 'invalid', retry: false, text: 'The repository name {name} is not valid: {reason}.' },
  'repository.unknown': { kind: 'not-found', retry: false, text: 'There is no repository {name} that you may see.' },
  'manifest.unknown': { kind: 'not-found', retry: false, text: 'There is no manifest {reference} in {repository}.' },
  'manifest.invalid': { kind: 'invalid', retry: false, text: 'The manifest is not valid: {problem}.' },
  'manifest.blob-unknown': {
    kind: 'not-found',
    retry: false,
    text: 'The manifest names {digest}, which was not pushed to this repository; push it first.',
  },
  'tag.invalid': { kind: 'invalid', retry: false, text: 'The tag {tag} is not valid.' },
  'blob.unknown': { kind: 'not-found', retry: false, text: 'There is no blob {digest} here.' },
  'blob.corrupt': {
    kind: 'internal',
    retry: false,
    text: 'The stored content of {digest} does not fit its digest any more and is not given out; push it again.',
  },
  'digest.invalid': {
    kind: 'invalid',
    retry: false,
    text: '{digest} is no digest that is supported (sha256, sha512).',
  },
  'digest.mismatch': { kind: 'invalid', retry: false, text: 'The content has digest {actual}, not {digest}.' },
  'upload.unknown': { kind: 'not-found', retry: false, text: 'There is no upload {upload} here; begin a new one.' },
  'upload.out-of-order': {
    kind: 'invalid',
    retry: true,
    text: 'Upload {upload} has {received} bytes; go on from there.',
  },
  'upload.busy': {
    kind: 'unavailable',
    retry: true,
    text: 'Your project has {limit} uploads under way, which is the most; finish or cancel some and try again.',
  },
  'build.busy': {
    kind: 'unavailable',
    retry: true,
    text: 'The host has {limit} builds waiting, which is the most; try again in a moment.',
  },
  /** In an engine's own words. */
  'image.conflict': { kind: 'conflict', retry: false, text: '{problem}' },
  'host.not-found': { kind: 'not-found', retry: false, text: 'Host {ref} could not be found.' },
  'host.unreachable': {
    kind: 'unavailable',
    retry: true,
    text: 'Host {host} is not connected; its agent must be running (gantry status).',
  },
  /** The host, or the way to it, was lost in the middle of a call. */
  'host.broke-off': {
    kind: 'unavailable',
    retry: true,
    text: 'The answer of host {host} broke off; whether {call} was carried out is not known.',
  },
  'compute.refused': {
    kind: 'unavailable',
    retry: false,
    text: 'No instance from {provider}: {reason}.',
  },
  'compute.failed': {
    kind: 'unavailable',
    retry: true,
    text: 'No instance from {provider} now: {reason}.',
  },
  'placement.no-host': { kind: 'unavailable', retry: true, text: 'No host fits: {reasons}.' },
  'events.gone': {
    kind: 'conflict',
    retry: false,
    text: 'Events after {cursor} were removed because of their age; list anew what you watch, then go on from "now".',
  },
  'events.busy': {
    kind: 'unavailable',
    retry: true,
    text: 'Your project has {limit} event streams open, which is the most; close some and try again.',
  },
  'quota.exceeded': {
    kind: 'over-quota',
    retry: false,
    text: 'Quota exceeded for {resource}: {used} of {limit} used, {asked} more asked for.',
  },
  'identity.not-found': { kind: 'not-found', retry: false, text: 'Could not find {type}: {ref}.' },
  'identity.conflict': { kind: 'conflict', retry: false, text: 'A {type} named {name} already exists.' },
  'identity.refused': { kind: 'forbidden', retry: false, text: '{reason}' },
  'store.unavailable': {
    kind: 'unavailable',
    retry: true,
    text: 'The database cannot be reached at the moment; try again in a few seconds.',
  },
  'store.full': {
    kind: 'unavailable',
    retry: true,
    text: 'The disk of the server is full, so nothing was changed; its operator must free some space.',
  },
  'engine.failed': { kind: 'internal', retry: true, text: 'The container engine on {host} failed: {reason}' },
  'engine.unreachable': {
    kind: 'unavailable',
    retry: true,
    text: 'The container engine on {host} does not answer: {reason}',
  },
  /** What a service of the cloud said, in its own words. */
  'service.invalid': { kind: 'invalid', retry: false, text: 'The {service} service did not accept this: {reason}' },
  'service.unauthenticated': {
    kind: 'unauthenticated',
    retry: false,
    text: 'The {service} service did not accept the token or log-in: {reason}',
  },
  'service.forbidden': { kind: 'forbidden', retry: false, text: 'The {service} service does not allow this: {reason}' },
  'service.not-found': { kind: 'not-found', retry: false, text: 'The {service} service does not find it: {reason}' },
  'service.conflict': { kind: 'conflict', retry: false, text: 'The {service} service cannot do this now: {reason}' },
  'service.over-quota': {
    kind: 'over-quota',
    retry: false,
    text: 'A quota of the {service} service is used up: {reason}',
  },
  'service.too-large': {
    kind: 'too-large',
    retry: false,
    text: 'This is too large for the {service} service: {reason}',
  },
  'service.unsupported': {
    kind: 'unsupported',
    retry: false,
    text: 'The {service} service does not offer this: {reason}',
  },
  'service.unavailable': {
    kind: 'unavailable',
    retry: true,
    text: 'The {service} service cannot be used at the moment: {reason}',
  },
  'service.failed': { kind: 'internal', retry: true, text: 'The {service} service failed: {reason}' },
  'machine.unfit': { kind: 'unavailable', retry: false, text: '{problem} {remedy}' },
  'agent.certificate-ended': {
    kind: 'unauthenticated',
    retry: false,
    text: 'The certificate of host {host} ended at {at}; join the host again with a new token.',
  },
  'agent.wrong-server': {
    kind: 'unauthenticated',
    retry: false,
    text: 'The server at this address is not the one the join token is for; nothing was sent to it.',
  },
  'agent.token-refused': {
    kind: 'unauthenticated',
    retry: false,
    text: 'The join token is not accepted: {reason}. Make a new one on the server.',
  },
  internal: {
    kind: 'internal',
    retry: true,
    text: 'An internal error occurred ({reference}); the server log has the details.',
  },
} as const satisfies Record<string, FaultRow>

export type FaultCode = keyof typeof faults
export type FaultDetails = Readonly<Record<string, string | number>>

/** What crosses a wire of ours, or is stored: enough to build the same `Fault` again at the other end. */
export interface FaultData {
  readonly code: FaultCode
  readonly details: FaultDetails
}

/** The one error class thrown on purpose. `message` is the filled text of the table's row. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly details: FaultDetails

  constructor(code: FaultCode, details: FaultDetails = {}, cause?: unknown) {
    super(fill(faults[code].text, details), cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }

  get kind(): FaultKind {
    return faults[this.code].kind
  }

  get retry(): boolean {
    return faults[this.code].retry
  }

  toJSON(): FaultData {
    return { code: this.code, details: this.details }
  }
}

/** Rebuilds a fault that came over a wire; anything unknown becomes `internal`. */
export function faultFrom(data: unknown): Fault {
  if (typeof data === 'object' && data !== null && 'code' in data && isFaultCode(data.code)) {
    const details = 'details' in data && typeof data.details === 'object' ? (data.details as FaultDetails) : {}
    return new Fault(data.code, details)
  }
  return new Fault('internal', { reference: 'unknown fault' })
}

/** The text of any thrown value, for a person. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isFaultCode(code: unknown): code is FaultCode {
  return typeof code === 'string' && Object.hasOwn(faults, code)
}

function fill(text: string, details: FaultDetails): string {
  return text.replace(/\{(\w+)\}/g, (hole, key: string) => String(details[key] ?? hole))
}
