import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createApi } from './api.ts'
import { fetchToken } from './keystone.ts'
import { Patience } from './patience.ts'

const closing: (() => void)[] = []
const told: string[] = []
beforeEach(() => {
  told.splice(0)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0)
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const close of closing.splice(0)) close()
})

/** Answers with these one after another, the last one again and again. */
async function serving(...answers: ((response: ServerResponse) => unknown)[]) {
  const asked: string[] = []
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume().once('end', () => (answers[asked.length - 1] ?? answers.at(-1))?.(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = await createApi({ url }, 'token')
  closing.push(() => api.close())
  return { asked, api, url }
}

const refused =
  (status: number, code: string, headers: Record<string, string> = { 'retry-after': '1' }) =>
  (response: ServerResponse) =>
    response.writeHead(status, headers).end(JSON.stringify({ error: { code, message: `${code}!` } }))
const fine = (response: ServerResponse) => response.end(JSON.stringify({ id: 'x' }))

test('a call that was refused as one too many is made again when the server says so', async () => {
  const { api, asked } = await serving(refused(429, 'request.limited'), refused(503, 'request.crowded'), fine)
  const began = performance.now()
  expect(await api.json({ method: 'POST', path: '/v1/things', json: {} })).toEqual({ id: 'x' })
  expect(performance.now() - began).toBeGreaterThanOrEqual(2000)
  expect(asked).toEqual(Array.from({ length: 3 }, () => 'POST /v1/things'))
  expect(told).toEqual(Array.from({ length: 2 }, () => expect.stringContaining('trying again in 1 s')))
})

test.each([
  ['a host that is away', refused(503, 'host.unreachable'), {}],
  ['what ends only when the user ends something', refused(503, 'project.busy'), {}],
  ['a body that was sent already', refused(429, 'request.limited'), { input: () => Readable.from(['x']) }],
  ['a wait that is too long', refused(429, 'request.limited', { 'retry-after': '3600' }), {}],
])('%s is told at once', async (_name, answer, { input }: { input?: () => Readable }) => {
  const { api, asked } = await serving(answer, fine)
  const call = { method: 'POST', path: '/v1/things', ...(input ? { input: input() } : {}) }
  await expect(api.json(call)).rejects.toThrow(/!$/)
  expect(asked).toHaveLength(1)
})

test('a log-in is repeated also when the server is only busy', async () => {
  const made = (response: ServerResponse) => response.writeHead(201, { 'x-subject-token': 't' }).end('{"token":{}}')
  const { url, asked } = await serving(refused(503, 'auth.busy'), made)
  const identity = { kind: 'application-credential', id: 'i', secret: 's' } as const
  expect(await fetchToken(url, identity as Parameters<typeof fetchToken>[1], undefined)).toMatchObject({ token: 't' })
  expect(asked).toHaveLength(2)
})

test('patience ends, and an interruption ends it at once', async () => {
  const patience = new Patience(() => undefined)
  expect(await patience.wait({ headers: { 'retry-after': '61' } })).toBe(false)
  const waiting = patience.wait({ headers: { 'retry-after': '50' } }, AbortSignal.timeout(20))
  await expect(waiting).rejects.toThrow('aborted')
  expect(await patience.wait({ headers: { 'retry-after': '50' } })).toBe(false)
})
