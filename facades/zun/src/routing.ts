import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal, sendError } from './errors.ts'

/** Answers what no route takes: 405 with `Allow` where another method would do, else 404. Register before the routes. */
export function routingErrors(app: FastifyInstance): void {
  const known: { readonly method: string; readonly pattern: RegExp }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) known.push({ method: each, pattern: patternOf(url) })
  })
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = normalised(request.url)
    const allowed = [...new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))].sort()
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return answer(reply, 404, 'There is no such resource.')
    }
    reply.header('allow', allowed.join(', '))
    return answer(reply, 405, `${request.method} is not possible here; ${allowed.join(', ')} would be.`)
  })
}

/** 406 when the client takes no JSON at all. */
export function mustAcceptJson(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const accepted = request.headers.accept
    if (accepted === undefined || accepted.trim() === '') return
    const takesJson = accepted.split(',').some((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
      return /^(\*\/\*|application\/(\*|json))$/.test(type) && !parameters.some((text) => /^q=0(\.0*)?$/.test(text))
    })
    if (!takesJson) throw new Refusal(406, '', 'This service answers in JSON; accept application/json.')
  })
}

function answer(reply: FastifyReply, status: number, text: string): FastifyReply {
  return sendError(reply, { status, kebab: '', title: text, detail: text })
}

function patternOf(url: string): RegExp {
  const parts = normalised(url)
    .split('/')
    .map((part) => (part === '*' ? '.+' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}$`)
}

function normalised(url: string): string {
  const path = url.replace(/\?.*$/s, '').replace(/\/{2,}/g, '/')
  return path.length > 1 ? path.replace(/\/$/, '') : path
}
