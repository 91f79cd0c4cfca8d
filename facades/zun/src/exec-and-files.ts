import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { LogOptions } from '@gantry/control'
import { callerOf, streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import { frameKinds, type Stats } from '@gantry/wire'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Arguments, argumentsOf, flag, queryOf, requiredText, text } from './arguments.ts'
import { consoleUrl } from './console-address.ts'
import { refOf, type Zun } from './context.ts'
import { schemaError } from './errors.ts'
import { archiveJson, framesOf, jsonStringOf } from './json-stream.ts'
import { minorOf } from './microversion.ts'
import { shellSplit } from './shell-split.ts'

/** Bytes of output that `execute` puts into its one JSON reply. */
const outputLimit = 8 * 1024 * 1024

/** What looks into a running container: logs, commands, processes, numbers, files. */
export function execAndFileRoutes(app: FastifyInstance, zun: Zun): void {
  const { containers, consoles } = zun.control

  app.get('/containers/:ref/logs', { exposeHeadRoute: false }, async (request, reply) => {
    const signal = streamSignal(reply)
    const options = readLogOptions(queryOf(request))
    const { framed, output } = await containers.logs(callerOf(request), refOf(request), options, signal)
    return sendJsonStream(reply, output, signal, jsonStringOf(output, framed))
  })

  app.post('/containers/:ref/execute', async (request, reply) => {
    const caller = callerOf(request)
    const args = argumentsOf(request)
    const command = shellSplit(requiredText(args, 'command', 1024 * 1024))
    if (command.length === 0) throw schemaError('The argument command must hold at least one word.')
    const tty = flag(args, 'interactive', false)
    if (!flag(args, 'run', true)) {
      const opened = await consoles.open(caller, refOf(request), { kind: 'exec', command, tty })
      return {
        output: null,
        exit_code: null,
        exec_id: opened.execId,
        proxy_url: consoleUrl(zun, request, opened),
      }
    }
    const signal = streamSignal(reply)
    const plain = { environment: {}, workdir: null, user: null, tty: false, input: null }
    const { output } = await containers.exec(caller, refOf(request), { command, ...plain }, signal)
    endWith(signal, output)
    return { ...(await collect(output)), exec_id: null, proxy_url: null }
  })

  app.get('/containers/:ref/attach', async (request, reply) => {
    const opened = await consoles.open(callerOf(request), refOf(request), { kind: 'attach' })
    return reply.type('application/json').send(JSON.stringify(consoleUrl(zun, request, opened)))
  })

  app.get('/containers/:ref/top', async (request) => {
    const psArgs = text(queryOf(request), 'ps_args') ?? null
    const { titles, processes } = await containers.top(callerOf(request), refOf(request), psArgs)
    return { Titles: titles, Processes: processes }
  })

  app.get('/containers/:ref/stats', async (request) => {
    const caller = callerOf(request)
    const { id, name } = await containers.get(caller, refOf(request))
    return toStats(name, await containers.stats(caller, id))
  })

  app.get('/containers/:ref/get_archive', { exposeHeadRoute: false }, async (request, reply) => {
    const signal = streamSignal(reply)
    const path = requiredText(queryOf(request), 'path')
    const { stat, tar } = await containers.getArchive(callerOf(request), refOf(request), path, signal)
    return sendJsonStream(reply, tar, signal, archiveJson(tar, stat, minorOf(request) >= 25))
  })
}

function sendJsonStream(reply: FastifyReply, source: Readable, signal: AbortSignal, json: Readable): FastifyReply {
  endWith(signal, source)
  return reply.type('application/json').send(json)
}

/**
 * Ends a stream when the client goes, even if it went before the stream was there: whoever waits for the next chunk
 * cannot be told otherwise.
 */
function endWith(signal: AbortSignal, source: Readable): void {
  // It may fail before the first read; the reader then still sees the error.
  source.on('error', () => undefined)
  if (signal.aborted) source.destroy()
  else signal.addEventListener('abort', () => source.destroy(), { once: true })
}

function readLogOptions(query: Arguments): LogOptions {
  return {
    stdout: flag(query, 'stdout', true),
    stderr: flag(query, 'stderr', true),
    timestamps: flag(query, 'timestamps', false),
    follow: false,
    tail: readTail(text(query, 'tail')),
    since: readSince(text(query, 'since')),
  }
}

function readTail(tail: string | undefined): number | null {
  if (tail === undefined || tail === 'all') return null
  if (/^\d{1,9}$/.test(tail)) return Number(tail)
  throw schemaError('Invalid input for argument tail: it must be a number of lines or all.')
}

/** Epoch seconds as digits, or `YYYY-MM-DD hh:mm:ss,fff` in UTC. */
function readSince(since: string | undefined): number | null {
  if (since === undefined) return null
  if (/^\d{1,11}(\.\d{1,9})?$/.test(since)) return Number(since)
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[,.](\d{1,6}))?$/.exec(since)
  const at = match ? Date.parse(`${match[1]}T${match[2]}.${(match[3] ?? '0').padEnd(3, '0').slice(0, 3)}Z`) : Number.NaN
  if (Number.isNaN(at)) {
    throw schemaError('Invalid input for argument since: it must be epoch seconds or "YYYY-MM-DD hh:mm:ss,fff" in UTC.')
  }
  return at / 1000
}

/** Output up to the limit, and the exit code, whatever was left out. */
async function collect(source: Readable): Promise<{ output: string; exit_code: number }> {
  const decoders = new Map<number, StringDecoder>()
  const parts: string[] = []
  let left = outputLimit
  let cut = false
  let exitCode: number | undefined
  for await (const { kind, payload } of framesOf(source)) {
    if (kind === frameKinds.end) {
      exitCode = readExitCode(payload)
      continue
    }
    const decoder = decoders.get(kind) ?? new StringDecoder('utf8')
    decoders.set(kind, decoder)
    if (left > 0) parts.push(decoder.write(payload.subarray(0, left)))
    cut ||= payload.length > left
    left = Math.max(0, left - payload.length)
  }
  for (const decoder of decoders.values()) parts.push(decoder.end())
  if (cut) parts.push(`\n[output cut after ${outputLimit} bytes]\n`)
  if (exitCode === undefined) {
    throw new Fault('engine.failed', { host: 'its host', reason: 'the command ended without an exit code' })
  }
  return { output: parts.join(''), exit_code: exitCode }
}

function readExitCode(payload: Buffer): number | undefined {
  const end: unknown = JSON.parse(payload.toString())
  if (typeof end !== 'object' || end === null || !('exitCode' in end)) return undefined
  return typeof end.exitCode === 'number' ? end.exitCode : undefined
}

function toStats(name: string, stats: Stats): Record<string, string | number> {
  const mebibytes = (bytes: number) => round(bytes / 1024 / 1024)
  return {
    CONTAINER: name,
    'CPU %': round(stats.cpuPercent),
    'MEM USAGE(MiB)': mebibytes(stats.memoryUsed),
    'MEM LIMIT(MiB)': mebibytes(stats.memoryLimit),
    'MEM %': stats.memoryLimit > 0 ? round((100 * stats.memoryUsed) / stats.memoryLimit) : 0,
    'BLOCK I/O(B)': `${stats.blockRead}/${stats.blockWrite}`,
    'NET I/O(B)': `${stats.netReceived}/${stats.netSent}`,
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
