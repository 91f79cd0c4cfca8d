import { Readable } from 'node:stream'
import { callerOf, sendStream, streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { type App, type NativeContext, Ref } from '../context.ts'
import { flowing, operation } from '../operation.ts'
import { bounded, flag, isYes, wholeOf } from '../query.ts'
import { ExecArgs } from '../schemas.ts'

const tag = 'streams'
const exact = { additionalProperties: false }
const framesType = 'application/vnd.docker.multiplexed-stream'
const rawType = 'application/vnd.docker.raw-stream'
const tarType = 'application/x-tar'
const longest = 16_384
const checkArgs = Compile(ExecArgs)

const number = (pattern: string, description: string) =>
  Type.Optional(Type.Unsafe<string>({ type: 'string', pattern, description }))
const LogsQuery = Type.Object(
  {
    follow: flag('Stay, and send lines as they are written.'),
    stdout: flag('Yes if left out.'),
    stderr: flag('Yes if left out.'),
    timestamps: flag('A time before each line.'),
    tail: number('^([0-9]{1,9}|all)$', 'So many lines from the end; all if left out.'),
    since: number('^[0-9]{1,12}([.][0-9]{1,9})?$', 'Only lines after this moment, in epoch seconds.'),
  },
  exact,
)
const ExecQuery = Type.Object(
  { args: Type.String({ minLength: 1, maxLength: longest, description: 'ExecArgs as JSON, in base64url.' }) },
  exact,
)
const size = Type.String({ pattern: '^[0-9]{1,5}$' })
const SizeQuery = Type.Object({ rows: size, columns: size }, exact)
const ExecParams = Type.Object({ ...Ref.properties, execId: Type.String({ minLength: 1, maxLength: 255 }) })
const PathQuery = Type.Object(
  { path: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\u0000]+$', description: 'In the container.' }) },
  exact,
)

/** What moves bytes: logs, exec, archives. Bodies are spliced, never held. */
export function streamRoutes(app: App, context: NativeContext): void {
  takeStreams(app)
  logRoute(app, context)
  attachRoute(app, context)
  execRoutes(app, context)
  archiveRoutes(app, context)
}

/** Within these routes, a body of these types is handed on as the stream it is. */
function takeStreams(app: FastifyInstance): void {
  app.removeContentTypeParser('application/octet-stream')
  app.addContentTypeParser(['application/octet-stream', rawType, tarType], (_request, payload, done) => {
    // A client that breaks off may do so when whoever read the body has let go of it: nobody else would hear the error.
    payload.on('error', () => undefined)
    done(null, payload)
  })
}

function logRoute(app: App, { control }: NativeContext): void {
  app.get('/containers/:ref/logs', { schema: logsDoc, ...flowing }, async (request, reply) => {
    const { query } = request
    const options = {
      stdout: isYes(query.stdout, true),
      stderr: isYes(query.stderr, true),
      timestamps: isYes(query.timestamps),
      follow: isYes(query.follow),
      tail: query.tail === undefined || query.tail === 'all' ? null : wholeOf(query.tail, 0),
      since: query.since === undefined ? null : Number(query.since),
    }
    const signal = streamSignal(reply)
    const { framed, output } = await control.containers.logs(callerOf(request), request.params.ref, options, signal)
    await sendStream(reply, output, { 'content-type': framed ? framesType : rawType })
    return reply
  })
}

function attachRoute(app: App, { control }: NativeContext): void {
  app.post('/containers/:ref/attach', { schema: attachDoc, ...flowing }, async (request, reply) => {
    const signal = streamSignal(reply)
    const input = request.body instanceof Readable ? request.body : null
    const caller = callerOf(request)
    const { framed, output } = await control.containers.attach(caller, request.params.ref, input, signal)
    // As with exec: the rest of a stdin that nobody reads any more would be taken for the next request.
    await sendStream(reply, output, { 'content-type': framed ? framesType : rawType, connection: 'close' })
    return reply
  })
}

function execRoutes(app: App, { control }: NativeContext): void {
  app.post('/containers/:ref/exec', { schema: execDoc, ...flowing }, async (request, reply) => {
    const args = execArgsOf(request.query.args)
    const signal = streamSignal(reply)
    const input = request.body instanceof Readable ? request.body : null
    const { execId, output } = await control.containers.exec(
      callerOf(request),
      request.params.ref,
      {
        command: args.command,
        environment: args.environment ?? {},
        workdir: args.workdir ?? null,
        user: args.user ?? null,
        tty: args.tty ?? false,
        input,
      },
      signal,
    )
    // The command may end before its stdin does; the rest of that body has no reader, so the connection cannot be reused.
    await sendStream(reply, output, { 'content-type': framesType, 'x-gantry-exec-id': execId, connection: 'close' })
    return reply
  })
  app.post('/containers/:ref/exec/:execId/resize', { schema: resizeDoc }, async (request, reply) => {
    const { ref, execId } = request.params
    await control.containers.resizeExec(callerOf(request), ref, execId, sizeOf(request.query))
    return reply.code(204).send()
  })
  app.post('/containers/:ref/resize', { schema: resizeTtyDoc }, async (request, reply) => {
    await control.containers.resizeTty(callerOf(request), request.params.ref, sizeOf(request.query))
    return reply.code(204).send()
  })
}

function archiveRoutes(app: App, { control }: NativeContext): void {
  const { containers } = control
  app.get('/containers/:ref/archive', { schema: getDoc, ...flowing }, async (request, reply) => {
    const { ref } = request.params
    const { stat, tar } = await containers.getArchive(callerOf(request), ref, request.query.path, streamSignal(reply))
    const encoded = Buffer.from(JSON.stringify(stat)).toString('base64url')
    await sendStream(reply, tar, { 'content-type': tarType, 'x-gantry-path-stat': encoded })
    return reply
  })
  app.put('/containers/:ref/archive', { schema: putDoc, ...flowing }, async (request, reply) => {
    const { ref } = request.params
    const { body } = request
    if (!(body instanceof Readable)) throw new Fault('request.invalid', { problem: `The body must be a ${tarType}.` })
    await containers.putArchive(callerOf(request), ref, request.query.path, body, streamSignal(reply))
    return reply.code(204).send()
  })
}

/** The decoded `args`; anything that is not base64url of fitting JSON is `request.invalid`. */
function execArgsOf(encoded: string): Static<typeof ExecArgs> {
  const args = parse(encoded)
  if (checkArgs.Check(args)) return args
  const [problem] = checkArgs.Errors(args)
  const where = problem ? `${problem.instancePath || 'value'}: ${problem.message}` : 'not as described'
  throw new Fault('request.invalid', { problem: `args: ${where}` })
}

function parse(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'))
  } catch (error) {
    throw new Fault('request.invalid', { problem: 'args must be JSON in base64url.' }, error)
  }
}

function sizeOf({ rows, columns }: Static<typeof SizeQuery>): { rows: number; columns: number } {
  const range: [number, number] = [1, 10_000]
  return { rows: bounded('rows', rows, 0, range), columns: bounded('columns', columns, 0, range) }
}

const header = (description: string) => ({ type: 'string', description }) as const

const logsDoc = operation({
  operationId: 'readLogs',
  summary: 'Read what a container wrote',
  description:
    'Frames (an 8-byte header: kind 1 stdout or 2 stderr, three zero bytes, length big endian) or, of a container with a terminal, its raw bytes; the content type tells which.',
  tag,
  params: Ref,
  querystring: LogsQuery,
  answer: { status: 200, description: 'The lines.', content: [framesType, rawType] },
})
const attachDoc = operation({
  operationId: 'attachContainer',
  summary: 'Connect to the terminal or the streams of a container',
  description:
    'One exchange in both directions: the request body, if there is one, goes to the stdin of the container, which must have been created interactive; the answer is what it writes from now on (one younger than ten seconds: from its start), and ends with its process. Several may be attached at once, and one that leaves takes nothing with it. The content type tells whether frames or the raw bytes of a terminal come.',
  tag,
  params: Ref,
  consumes: [rawType, 'application/octet-stream'],
  answer: { status: 200, description: 'What it writes.', content: [framesType, rawType] },
})
const execDoc = operation({
  operationId: 'execCommand',
  summary: 'Run a command in a container',
  description:
    'One exchange in both directions: the request body, if there is one, is the stdin of the command while the answer is already under way. The last frame is of kind 3 and holds `{"exitCode":n}`.',
  tag,
  params: Ref,
  querystring: ExecQuery,
  consumes: [rawType, 'application/octet-stream'],
  answer: {
    status: 200,
    description: 'What the command writes, in frames.',
    content: [framesType],
    headers: { 'X-Gantry-Exec-Id': header('For resizing its terminal.') },
  },
})
const resizeDoc = operation({
  operationId: 'resizeExec',
  summary: 'Tell a running command the size of its terminal',
  tag,
  params: ExecParams,
  querystring: SizeQuery,
  answer: { status: 204, description: 'Done.' },
})
const resizeTtyDoc = operation({
  operationId: 'resizeTerminal',
  summary: 'Tell a container the size of its terminal',
  tag,
  params: Ref,
  querystring: SizeQuery,
  answer: { status: 204, description: 'Done.' },
})
const getDoc = operation({
  operationId: 'getArchive',
  summary: 'Copy a path out of a container, as a tar',
  tag,
  params: Ref,
  querystring: PathQuery,
  answer: {
    status: 200,
    description: 'The tar.',
    content: [tarType],
    headers: { 'X-Gantry-Path-Stat': header('PathStat of the path as JSON, in base64url.') },
  },
})
const putDoc = operation({
  operationId: 'putArchive',
  summary: 'Unpack a tar into a directory of a container',
  tag,
  params: Ref,
  querystring: PathQuery,
  consumes: [tarType, 'application/octet-stream'],
  answer: { status: 204, description: 'Unpacked.' },
})
