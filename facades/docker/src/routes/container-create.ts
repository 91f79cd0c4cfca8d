import { Fault } from '@gantry/kernel'
import type { Caller, Container, Failure } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { canonicalBody } from '../canonical-body.ts'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { dockerId } from '../ids.ts'
import { checkConfig, checkHostConfig, ConfigBody, HostConfigBody } from '../schemas-create.ts'
import { engineWords, removed } from '../settle.ts'
import { optionsOf, specOf } from '../translate-create.ts'
import { netsOf } from '../translate-networks.ts'
import { portsOf } from '../translate-ports.ts'
import { mountsOf } from '../translate-volumes.ts'
import { nameTaken } from './container-verbs.ts'

/** Longest wait for a host to have made the container. */
const patienceMs = 10 * 60_000
const validName = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

interface Asked {
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

/** `POST /containers/create`: answers when the engine has it, because clients attach before they start. */
export function containerCreateRoute(app: FastifyInstance, docker: DockerContext): void {
  app.post<Asked>('/containers/create', async (request, reply) => {
    const caller = docker.callerOf(request)
    const { name = '' } = request.query
    if (name !== '' && !validName.test(name)) {
      throw new Refusal(400, `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
    }
    const body = bodiesOf(request.body)
    const container = await create(docker, caller, name.replace(/^\//, ''), body, docker.versionOf(request))
    await untilMade(docker, caller, container)
    return reply.code(201).send({ Id: dockerId(container.id), Warnings: [] })
  })
}

interface Bodies {
  readonly config: ConfigBody
  readonly host: HostConfigBody
  readonly raw: {
    readonly config: Record<string, unknown>
    readonly hostConfig: Record<string, unknown>
    readonly networking: Record<string, unknown>
  }
}

/** The three parts of the body, in the API's own spelling. Throws `request.invalid`. */
export function bodiesOf(body: unknown): Bodies {
  const whole = canonicalBody(body, Object.keys(ConfigBody.properties))
  const { HostConfig, NetworkingConfig, ...config } = whole
  const hostConfig = canonicalBody(HostConfig, Object.keys(HostConfigBody.properties))
  const networking = canonicalBody(NetworkingConfig, ['EndpointsConfig'])
  if (!checkConfig.Check(config)) throw invalid('config', checkConfig.Errors(config))
  if (!checkHostConfig.Check(hostConfig)) throw invalid('HostConfig', checkHostConfig.Errors(hostConfig))
  return { config, host: hostConfig, raw: { config, hostConfig, networking } }
}

function invalid(part: string, errors: readonly { readonly instancePath: string; readonly message: string }[]): Fault {
  const [first] = errors
  return new Fault('request.invalid', {
    problem: `${part}${first?.instancePath ?? ''}: ${first?.message ?? 'is not as described'}`,
  })
}

async function create(
  docker: DockerContext,
  caller: Caller,
  name: string,
  { config, host, raw }: Bodies,
  minor: number,
): Promise<Container> {
  const { control } = docker
  const granted = control.policy.judge(caller, { kind: 'container', ...raw })
  const asked = config.Image ?? ''
  if (asked === '') throw new Refusal(400, 'config cannot be empty in order to create a container')
  const { image } = await control.engineImages.resolve(caller, asked)
  const spec = specOf(image, config, host)
  const { publish, publishAll, exposedPorts } = await portsOf(docker, caller, { config, host })
  const {
    nets,
    unplugged,
    options: netOptions,
  } = await netsOf(docker, caller, { host, networking: raw.networking, minor })
  const { mounts, tmpfs } = await mountsOf(docker, caller, { config, host })
  const own = optionsOf(config, host)
  const options = {
    ...own,
    ...(own.tmpfs || Object.keys(tmpfs).length > 0 ? { tmpfs: { ...own.tmpfs, ...tmpfs } } : {}),
    ...netOptions,
    ...(publish.length > 0 && { publish }),
    ...(publishAll && { publishAll }),
    ...(Object.keys(granted).length > 0 && { granted }),
    asked: { ...raw },
  }
  return control.containers
    .create(caller, {
      name: name === '' ? null : name,
      uniqueName: true,
      spec: { ...spec, exposedPorts, options },
      run: false,
      nets,
      unplugged,
      mounts,
    })
    .catch(nameTaken(docker, caller))
}

/** Waits until the engine has it. One that cannot be made is taken back, and the engine's reason told. */
async function untilMade(docker: DockerContext, caller: Caller, made: Container): Promise<void> {
  const isDone = ({ observed, placementFailure }: Container) =>
    observed.engine !== null || observed.failure !== null || placementFailure !== null
  const limit = AbortSignal.timeout(patienceMs)
  const { container } = await docker.control.containers.until(caller, made.id, isDone, limit)
  const reason = container.placementFailure ?? container.observed.failure?.reason
  if (container.observed.engine !== null || reason === undefined) return
  await removed(docker, caller, container).catch(() => undefined)
  if (container.placementFailure !== null) throw new Refusal(503, reason)
  throw new Refusal(statusOfUnmade(container.observed.failure), engineWords(reason))
}

/** 404 says that the image is not there, whereupon the client pulls it; on a full disk that is in vain. */
function statusOfUnmade(failure: Failure | null): number {
  if (failure && isDiskFull(failure)) return 503
  return failure?.step === 'pull' ? 404 : 400
}

function isDiskFull({ reason }: Failure): boolean {
  return /disk of the host is full|no space left on device/.test(reason)
}
