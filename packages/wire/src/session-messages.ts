import type { FaultCode, FaultDetails } from '@gantry/kernel'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { AgentMessage, ServerMessage } from './messages.ts'

/**
 * What the control stream carries beside the messages of the two owners: the renewal of the agent's certificate. It goes
 * over the live session, so the relay that holds the session knows that it may last longer, and nothing has to be dropped.
 */
const Renew = Type.Object({ kind: Type.Literal('renew'), csr: Type.String() })
const Renewed = Type.Object({ kind: Type.Literal('renewed'), certificate: Type.String() })
/** Where the living servers of the cloud take agents, `HOST:PORT` each: the first word of a session, and again when they change. */
const Servers = Type.Object({
  kind: Type.Literal('servers'),
  addresses: Type.Array(Type.String({ maxLength: 300 }), { maxItems: 256 }),
})
export const FaultMessage = Type.Object({
  kind: Type.Literal('fault'),
  fault: Type.Object({
    code: Type.Unsafe<FaultCode>(Type.String()),
    details: Type.Unsafe<FaultDetails>(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]))),
  }),
})

const FromAgent = Type.Union([...AgentMessage.anyOf, Renew])
const FromRelay = Type.Union([...ServerMessage.anyOf, Renewed, Servers, FaultMessage])
export type FromAgent = Static<typeof FromAgent>
export type FromRelay = Static<typeof FromRelay>

/** The one line a machine sends to be enrolled, and the answer. */
export const EnrolRequest = Type.Object({
  id: Type.String({ maxLength: 64 }),
  secret: Type.String({ maxLength: 128 }),
  csr: Type.String({ maxLength: 16_384 }),
  hostname: Type.String({ minLength: 1, maxLength: 255 }),
})
export type EnrolRequest = Static<typeof EnrolRequest>
export const Enrolled = Type.Object({
  kind: Type.Literal('enrolled'),
  hostId: Type.String(),
  deployment: Type.String(),
  certificate: Type.String(),
  ca: Type.String(),
})
export type Enrolled = Static<typeof Enrolled>
const EnrolAnswer = Type.Union([Enrolled, FaultMessage])

/** Each turns a line into a checked message, or throws an error that says what is wrong with it. */
export const parseFromAgent = sessionParser(Compile(FromAgent), FromAgent)
export const parseFromRelay = sessionParser(Compile(FromRelay), FromRelay)
export const parseEnrolRequest = parser(Compile(EnrolRequest))
export const parseEnrolAnswer = parser(Compile(EnrolAnswer))

interface Checker<T> {
  Check(value: unknown): value is T
  Errors(value: unknown): { instancePath: string; message: string }[]
}

function parser<T>(checker: Checker<T>): (line: string) => T {
  return (line) => checked(checker, JSON.parse(line))
}

/** Null for a message of a kind that this version does not know: the two ends of a session need not be of one version. */
function sessionParser<T extends { readonly kind: string }>(
  checker: Checker<T>,
  union: { readonly anyOf: readonly { readonly properties: { readonly kind: { readonly const: string } } }[] },
): (line: string) => T | null {
  const known = new Set(union.anyOf.map(({ properties }) => properties.kind.const))
  return (line) => {
    const value: unknown = JSON.parse(line)
    const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
    return typeof kind === 'string' && !known.has(kind) ? null : checked(checker, value)
  }
}

function checked<T>(checker: Checker<T>, value: unknown): T {
  if (checker.Check(value)) return value
  throw new Error(`bad message: ${problemOf(checker, value)}`)
}

/** The first of the problems, for a person. */
export function problemOf(checker: Pick<Checker<unknown>, 'Errors'>, value: unknown): string {
  const [first] = checker.Errors(value)
  return first ? `${first.instancePath || 'it'} ${first.message}` : 'it has the wrong shape'
}
