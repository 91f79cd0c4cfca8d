import { access } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'

/**
 * What the page may do in a browser: scripts, connections and frames of its own origin only. Styles may be inline, because the
 * terminal and the widgets write them; scripts may not.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The built page below `/ui/`. Any path without a file is one of the page's own, which its script reads. */
export async function pages(app: FastifyInstance, folder: string): Promise<void> {
  const there = await access(join(folder, 'index.html')).then(
    () => true,
    () => false,
  )
  if (!there) {
    app.get('/*', async (_request, reply) => reply.code(503).type('text/plain').send(notBuilt))
    return
  }
  await app.register(fastifyStatic, {
    root: folder,
    preCompressed: true,
    index: ['index.html'],
    decorateReply: true,
    setHeaders: (reply, path) => guard(reply, /[/\\]assets[/\\]/.test(path)),
  })
  app.setNotFoundHandler((request, reply) => {
    const asksForFile = request.url.startsWith('/ui/assets/') || request.method !== 'GET'
    if (asksForFile) return reply.code(404).type('text/plain').send('There is no such file; load the page again.')
    return reply.sendFile('index.html')
  })
}

const notBuilt =
  'The dashboard has not been built. Run `npm start`, or `node tools/bundle.ts`, in the folder of Gantry.\n'

/** `isForever`: a name with a hash of its content in it. */
function guard(reply: { setHeader(name: string, value: string): unknown } | FastifyReply, isForever: boolean): void {
  const headers = {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cache-control': isForever ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
  for (const [name, value] of Object.entries(headers)) {
    if ('setHeader' in reply) reply.setHeader(name, value)
    else reply.header(name, value)
  }
}
