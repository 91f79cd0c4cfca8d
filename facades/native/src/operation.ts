import type { TObject, TSchema } from 'typebox'
import { Ref } from './context.ts'

interface Parts {
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly body?: TSchema
}

interface Doc {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tag: string
  /** Media types of a body that is streamed and not described by `body`. */
  readonly consumes?: readonly string[]
  readonly answer: Answer
  /** The other answer of what may be asked for without being done. */
  readonly dryRun?: Answer
}

interface Answer {
  readonly status: 200 | 201 | 202 | 204
  readonly description: string
  /** A shared schema's name, a schema, or a list of media types for bytes. */
  readonly content?: string | TSchema | readonly string[]
  readonly headers?: Readonly<Record<string, { type: 'string'; description: string }>>
}

interface RouteDoc {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly consumes?: readonly string[]
  readonly response: Readonly<Record<string, object>>
}

const errorAnswer = { description: 'It was refused, or failed; the body says why.', $ref: 'Error#' }

/** Options of a route whose answer flows. Asking for its headers alone (HEAD) would start a stream that nobody ends. */
export const flowing = { config: { streaming: true }, exposeHeadRoute: false } as const

/** A route's schema: what it checks (`params`, `querystring`, `body`) and what the OpenAPI document says of it. */
export function operation<P extends Parts>({
  operationId,
  summary,
  description,
  tag,
  consumes,
  answer,
  dryRun,
  ...parts
}: P & Doc): Omit<P, keyof Doc> & RouteDoc {
  return {
    ...parts,
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    ...(consumes === undefined ? {} : { consumes }),
    response: {
      [answer.status]: answerSchema(answer),
      ...(dryRun && { [dryRun.status]: answerSchema(dryRun) }),
      default: errorAnswer,
    },
  }
}

interface Noun {
  readonly tag: string
  /** `security group`; its plural has an s. */
  readonly noun: string
  /** The shared schema's name: `SecurityGroup`. */
  readonly schema: string
}

/** What every collection has: its list. */
export function listing<Q extends TObject>({ tag, noun, schema }: Noun, querystring: Q) {
  const answer = { status: 200, description: `The ${noun}s.`, content: `${schema}List` } as const
  return operation({ operationId: `list${schema}s`, summary: `List ${noun}s`, tag, querystring, answer })
}

export function showing<Q extends TObject>({ tag, noun, schema }: Noun, querystring: Q) {
  const answer = { status: 200, description: `The ${noun}.`, content: schema } as const
  return operation({ operationId: `show${schema}`, summary: `Show a ${noun}`, tag, params: Ref, querystring, answer })
}

export function deleting<Q extends TObject>({ tag, noun, schema }: Noun, querystring: Q, status: 202 | 204 = 204) {
  const answer = { status, description: status === 202 ? 'It is being deleted.' : 'Deleted.' }
  return operation({
    operationId: `delete${schema}`,
    summary: `Delete a ${noun}`,
    tag,
    params: Ref,
    querystring,
    answer,
  })
}

function answerSchema({ description, content, headers }: Answer): object {
  const rest = { description, ...(headers ? { headers } : {}) }
  if (content === undefined) return { ...rest, type: 'null' }
  if (typeof content === 'string') return { ...rest, $ref: `${content}#` }
  if (!isMediaTypes(content)) return { ...rest, ...content }
  const bytes = { schema: { type: 'string', format: 'binary' } }
  return { ...rest, content: Object.fromEntries(content.map((type) => [type, bytes])) }
}

function isMediaTypes(content: TSchema | readonly string[]): content is readonly string[] {
  return Array.isArray(content)
}
