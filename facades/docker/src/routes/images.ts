import type { FastifyInstance } from 'fastify'
import { streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import { parseImageName, registryOf } from '@gantry/model'
import { canonicalBody } from '../canonical-body.ts'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { filtersOf, isTrue } from '../filters.ts'
import { checkPlatform, listIn, type Query, sendFlow, tarOf, textIn } from '../image-query.ts'
import { loginOf } from '../registry-logins.ts'
import { imageFilterKeys, imageFiltersOf, inspectOfImage, removedOf, summaryOfImage } from '../translate-images.ts'

interface Asked {
  readonly Params: { readonly '*': string }
  readonly Querystring: Query
}

/** Images of the project and public ones. Names hold slashes, so what is asked of one is the end of its path. */
export function imageRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { engineImages } = docker.control
  app.get<Asked>('/images/json', async (request) => {
    const { query } = request
    const minor = docker.versionOf(request)
    const asked = imageFiltersOf(filtersOf(textIn(query, 'filters'), imageFilterKeys), docker.clock.now())
    // What older clients send for `reference`.
    const filter = textIn(query, 'filter')
    const filters = filter === '' ? asked : { ...asked, reference: [filter] }
    const images = await engineImages.list(docker.callerOf(request), { all: isTrue(query['all']), filters })
    return images.map((image) => summaryOfImage(image, minor))
  })
  app.post<Asked>('/images/prune', async (request) => {
    const filters = filtersOf(textIn(request.query, 'filters'), ['dangling', 'until', 'label', 'label!'])
    const asked = imageFiltersOf(filters, docker.clock.now())
    const { removed, reclaimed } = await engineImages.prune(docker.callerOf(request), asked)
    return { ImagesDeleted: removed.length > 0 ? removedOf(removed) : null, SpaceReclaimed: reclaimed }
  })
  app.get<Asked>('/images/*', { exposeHeadRoute: false, config: { streaming: true } }, async (request, reply) => {
    const caller = docker.callerOf(request)
    const { name, verb } = split(request.params['*'])
    switch (verb) {
      case 'json':
        return inspectOfImage(await engineImages.inspect(caller, name), docker.versionOf(request))
      case 'history':
        return engineImages.history(caller, name)
      case 'get': {
        const tar = await engineImages.save(caller, [name], streamSignal(reply))
        return sendFlow(reply, tar, 'application/x-tar')
      }
      default:
        throw noRoute(request)
    }
  })
  app.post<Asked>('/images/*', { config: { streaming: true } }, async (request, reply) => {
    const caller = docker.callerOf(request)
    const { query } = request
    const { name, verb } = split(request.params['*'])
    if (verb === 'tag') {
      const named = parseImageName(textIn(query, 'repo'))
      const tag = textIn(query, 'tag')
      await engineImages.tag(caller, name, { repo: named.repo, tag: tag === '' ? named.tag : tag })
      return reply.code(201).send()
    }
    if (verb !== 'push') throw noRoute(request)
    const tag = textIn(query, 'tag')
    const login = loginOf(request.headers['x-registry-auth'], registryOf(name))
    const whole = tag === '' ? name : `${name}:${tag}`
    return sendFlow(reply, await unprompted(engineImages.push(caller, whole, login, streamSignal(reply))))
  })
  app.delete<Asked>('/images/*', async (request) => {
    const { params, query } = request
    return removedOf(
      await engineImages.remove(docker.callerOf(request), params['*'], { force: isTrue(query['force']) }),
    )
  })
  archiveRoutes(app, docker)
  createRoute(app, docker)
  commitRoute(app, docker)
}

function split(path: string): { name: string; verb: string } {
  const at = path.lastIndexOf('/')
  return { name: path.slice(0, Math.max(at, 0)), verb: path.slice(at + 1) }
}

function noRoute({ method, url }: { readonly method: string; readonly url: string }): Fault {
  return new Fault('request.no-route', { method, path: url.split('?', 1)[0] ?? '' })
}

function archiveRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { engineImages } = docker.control
  const streaming = { exposeHeadRoute: false, config: { streaming: true } }
  app.get<Asked>('/images/get', streaming, async (request, reply) => {
    const names = listIn(request.query, 'names')
    const tar = await engineImages.save(docker.callerOf(request), names, streamSignal(reply))
    return sendFlow(reply, tar, 'application/x-tar')
  })
  app.post<Asked>('/images/load', { config: { streaming: true } }, async (request, reply) => {
    const quiet = isTrue(request.query['quiet'])
    const caller = docker.callerOf(request)
    const output = await engineImages.load(caller, tarOf(request), { quiet }, streamSignal(reply))
    return sendFlow(reply, output)
  })
}

/** `POST /images/create`: a pull, or an import of a tar. */
function createRoute(app: FastifyInstance, docker: DockerContext): void {
  const { engineImages } = docker.control
  app.post<Asked>('/images/create', { config: { streaming: true } }, async (request, reply) => {
    const caller = docker.callerOf(request)
    const { query } = request
    checkPlatform(textIn(query, 'platform'))
    const signal = streamSignal(reply)
    const [source, from] = [textIn(query, 'fromSrc'), textIn(query, 'fromImage')]
    if (from !== '') {
      const { repo, tag } = pulledName(from, textIn(query, 'tag'))
      const login = loginOf(request.headers['x-registry-auth'], registryOf(repo))
      return sendFlow(reply, await unprompted(engineImages.pull(caller, { repo, tag, login }, signal)))
    }
    if (source !== '-') {
      const reason = "the host would fetch it, from networks that are not the tenant's; send its content instead"
      throw new Fault('policy.field', { field: 'fromSrc', reason })
    }
    const named = parseImageName(textIn(query, 'repo'))
    const tag = textIn(query, 'tag')
    const id = await engineImages.import(
      caller,
      tarOf(request),
      {
        repo: named.repo === '' ? null : named.repo,
        tag: tag === '' ? named.tag : tag,
        message: textIn(query, 'message'),
        changes: listIn(query, 'changes'),
      },
      signal,
    )
    return reply
      .code(200)
      .header('content-type', 'application/json')
      .send(`${JSON.stringify({ status: id })}\r\n`)
  })
}

/** As engines answer where a registry wants a login: at a 401 clients would ask for one on the terminal, and wait. */
async function unprompted<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (error instanceof Fault && error.code === 'registry.login') throw new Refusal(500, error.message)
    throw error
  })
}

/** Without any tag an engine would pull all that there are. */
function pulledName(from: string, tag: string): { repo: string; tag: string } {
  const hasTag = from.includes('@') || from.lastIndexOf(':') > from.lastIndexOf('/')
  if (tag !== '') return { repo: hasTag ? parseImageName(from).repo : from, tag }
  if (hasTag) return parseImageName(from)
  throw new Fault('request.unsupported', { feature: 'Pulling all tags', reason: 'name the tag that you need' })
}

/** `POST /commit` */
function commitRoute(app: FastifyInstance, docker: DockerContext): void {
  app.post<Asked>('/commit', async (request, reply) => {
    const caller = docker.callerOf(request)
    const { query } = request
    const ref = textIn(query, 'container')
    if (ref === '') throw new Refusal(400, 'No container was named.')
    const container = await docker.find(caller, ref)
    const config = canonicalBody(request.body, [])
    docker.control.policy.judge(caller, { kind: 'container', config, hostConfig: {}, networking: {} })
    const named = parseImageName(textIn(query, 'repo'))
    const tag = textIn(query, 'tag')
    const id = await docker.control.engineImages.commit(caller, container.id, {
      repo: named.repo === '' ? null : named.repo,
      tag: tag === '' ? named.tag : tag,
      author: textIn(query, 'author'),
      comment: textIn(query, 'comment'),
      changes: listIn(query, 'changes'),
      pause: query['pause'] === undefined || isTrue(query['pause']),
      config,
    })
    return reply.code(201).send({ Id: id })
  })
}
