import { Healthcheck, ImageDriver, PullPolicy, RestartPolicy, statuses, tasks } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { exact, listOf, noNul, orNull, Other, Path, ShortText, textMap, Time } from './fields.ts'
import { auditDocuments } from './schemas-audit.ts'
import {
  AskedPort,
  AttachNetwork,
  ContainerAddress,
  GroupIds,
  networkDocuments,
  PublishedPort,
  PublishPort,
} from './schemas-network.ts'
import { certificateDocuments } from './schemas-certificate.ts'
import { eventDocuments } from './schemas-events.ts'
import { imageDocuments, RepoName, TagName } from './schemas-image.ts'
import { registryDocuments } from './schemas-registry.ts'
import { AskedMount, type CapsuleFields, ContainerMount, storageDocuments } from './schemas-storage.ts'

const Line = Type.String({ pattern: noNul, maxLength: 65_536 })
const Arguments = Type.Array(Line, { maxItems: 1024 })

const Environment = textMap('^[^=\\u0000]+$', 'Environment variables.')
const Labels = textMap(noNul, 'Labels.')
const Name = Type.String({
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$',
  minLength: 2,
  maxLength: 255,
  description:
    'Letters, digits, `_`, `.` and `-`, the first a letter or digit. One that several containers of a project share cannot stand for any of them.',
})
const ImageName = Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\s\\u0000]+$' })
const Cpu = Type.Number({ minimum: 0.01, maximum: 4096, description: 'Cores; a hard cap, fractions allowed.' })
const Memory = Type.Integer({ minimum: 4, maximum: 16_777_216, description: 'MiB; a hard cap.' })
const Restart = Type.Object(
  { ...RestartPolicy.properties, maxRetries: Type.Integer({ minimum: 0, maximum: 1e6 }) },
  exact,
)
const seconds = Type.Integer({ minimum: 0, maximum: 86_400 })
const Check = Type.Object(
  {
    command: Line,
    intervalSeconds: seconds,
    timeoutSeconds: seconds,
    retries: Type.Integer({ minimum: 0, maximum: 1000 }),
  },
  exact,
)

const Rules = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 255, pattern: noNul }), { maxItems: 32, description })

export const CreateContainer = Type.Object(
  {
    image: ImageName,
    name: Type.Optional(Name),
    run: Type.Optional(Type.Boolean({ description: 'Start it once it is created.', default: false })),
    command: Type.Optional(orNull(Arguments)),
    entrypoint: Type.Optional(orNull(Arguments)),
    workdir: Type.Optional(orNull(Path)),
    environment: Type.Optional(Environment),
    labels: Type.Optional(Labels),
    hints: Type.Optional(textMap(noNul, 'Hints to the scheduler.')),
    constraints: Type.Optional(Rules('What its host must be, as `node.labels.disk==ssd`.')),
    affinity: Type.Optional(
      Rules('Whom to be with on a host: a container, or `LABEL==VALUE` or `image==IMAGE` of others.'),
    ),
    antiAffinity: Type.Optional(Rules('Whom not to be with on a host, said in the same words.')),
    hostname: Type.Optional(orNull(Type.String({ pattern: '^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$' }))),
    cpu: Type.Optional(Cpu),
    cpuPolicy: Type.Optional(Type.Union([Type.Literal('shared'), Type.Literal('dedicated')])),
    memory: Type.Optional(Memory),
    disk: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_048_576, description: 'GiB, counted in the quota.' })),
    restartPolicy: Type.Optional(Restart),
    interactive: Type.Optional(Type.Boolean()),
    stdinOnce: Type.Optional(
      Type.Boolean({
        description: 'Its stdin ends with that of the first one who attaches to it; else it stays open.',
      }),
    ),
    tty: Type.Optional(Type.Boolean()),
    autoRemove: Type.Optional(Type.Boolean()),
    autoHeal: Type.Optional(Type.Boolean()),
    privileged: Type.Optional(Type.Boolean()),
    runtime: Type.Optional(orNull(ShortText)),
    healthcheck: Type.Optional(orNull(Check)),
    exposedPorts: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9]{1,5}/(tcp|udp|sctp)$', description: 'A port, as `80/tcp`.' }), {
        maxItems: 1024,
        description: '`80/tcp`',
      }),
    ),
    publish: Type.Optional(
      Type.Array(PublishPort, {
        maxItems: 100,
        description: 'Ports that are reached from outside once it runs. They are opened to everybody, too.',
      }),
    ),
    imageDriver: Type.Optional(ImageDriver),
    pullPolicy: Type.Optional(PullPolicy),
    availabilityZone: Type.Optional(orNull(ShortText)),
    host: Type.Optional(orNull(ShortText)),
    nets: Type.Optional(
      Type.Array(AttachNetwork, {
        maxItems: 32,
        description: "Networks or ports, the first one primary; the project's own network if left out.",
      }),
    ),
    securityGroups: Type.Optional(
      Type.Array(Other('A security group'), { maxItems: 64, description: 'The group `default` if left out.' }),
    ),
    mounts: Type.Optional(Type.Array(AskedMount, { maxItems: 64 })),
    unplugged: Type.Optional(Type.Boolean({ description: 'In no network at all; `nets` does not count.' })),
    registry: Type.Optional(orNull(Other('The registry its image is pulled from'))),
  },
  exact,
)
/** Many alike. */
export const CreateContainers = Type.Object(
  {
    ...CreateContainer.properties,
    count: Type.Integer({ minimum: 1, maximum: 1000, description: 'So many; each has a number behind its name.' }),
  },
  exact,
)
export type CreateContainers = Static<typeof CreateContainers>
export type CreateContainer = Static<typeof CreateContainer>

export const PatchContainer = Type.Object(
  {
    name: Type.Optional(Name),
    cpu: Type.Optional(Cpu),
    memory: Type.Optional(Memory),
    autoHeal: Type.Optional(Type.Boolean()),
  },
  { ...exact, minProperties: 1 },
)

export const RenameContainer = Type.Object({ name: Name }, exact)
export const CommitContainer = Type.Object({ repository: RepoName, tag: Type.Optional(TagName) }, exact)
export const PullImage = Type.Object({ repo: RepoName, tag: Type.Optional(TagName), host: ShortText }, exact)

/** What `?args=` of an exec holds, as base64url of its JSON. */
export const ExecArgs = Type.Object(
  {
    command: Type.Array(Line, { minItems: 1, maxItems: 1024 }),
    environment: Type.Optional(Environment),
    workdir: Type.Optional(orNull(Path)),
    user: Type.Optional(orNull(ShortText)),
    tty: Type.Optional(Type.Boolean()),
  },
  exact,
)

const Container = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  projectId: Type.String(),
  userId: Type.String(),
  image: Type.String(),
  imageDriver: ImageDriver,
  imageDigest: orNull(Type.String()),
  pullPolicy: PullPolicy,
  status: Type.Unsafe<string>({ type: 'string', enum: [...statuses] }),
  statusReason: orNull(Type.String()),
  task: Type.Unsafe<string | null>({ type: ['string', 'null'], enum: [...tasks, null] }),
  host: orNull(Type.String()),
  availabilityZone: orNull(Type.String()),
  createdAt: Time,
  updatedAt: Time,
  startedAt: orNull(Time),
  finishedAt: orNull(Time),
  exitCode: orNull(Type.Integer()),
  oomKilled: Type.Boolean(),
  health: orNull(Type.String()),
  restartCount: Type.Integer(),
  addresses: Type.Array(ContainerAddress),
  securityGroups: GroupIds,
  mounts: Type.Array(ContainerMount),
  capsule: orNull(Type.String({ description: 'The capsule it belongs to.' })),
  registry: orNull(Type.String({ description: 'The id of the registry its image is pulled from.' })),
  ports: Type.Array(Type.String()),
  publish: Type.Array(AskedPort, { description: 'The ports that it is to be reached at from outside.' }),
  published: Type.Array(PublishedPort, {
    description: 'Where it is reached from outside by now; nothing if no network of its has a router that leads there.',
  }),
  command: Type.Array(Type.String()),
  entrypoint: Type.Array(Type.String()),
  workdir: orNull(Type.String()),
  hostname: orNull(Type.String()),
  environment: Labels,
  labels: Labels,
  cpu: Type.Number(),
  cpuPolicy: Type.String(),
  memory: Type.Integer(),
  disk: Type.Integer(),
  restartPolicy: RestartPolicy,
  interactive: Type.Boolean(),
  stdinOnce: Type.Optional(Type.Boolean()),
  tty: Type.Boolean(),
  autoRemove: Type.Boolean(),
  autoHeal: Type.Boolean(),
  privileged: Type.Boolean(),
  runtime: orNull(Type.String()),
  healthcheck: orNull(Healthcheck),
})
export type ContainerView = Static<typeof Container>
export type CapsuleView = CapsuleFields & {
  readonly containers: ContainerView[]
  readonly initContainers: ContainerView[]
}

const ContainerSummary = Type.Object({
  total: Type.Integer(),
  byStatus: Type.Unsafe<Readonly<Record<string, number>>>({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'How many are in which status; one that none is in is left out.',
  }),
  unhealthy: Type.Integer({ description: 'Of those that run: whose health checks fail.' }),
})
export type ContainerSummaryView = Static<typeof ContainerSummary>

const Host = Type.Object({
  id: Type.String(),
  name: Type.String(),
  availabilityZone: Type.String(),
  connected: Type.Boolean(),
  disabled: Type.Boolean(),
  disabledReason: orNull(Type.String()),
  forcedDown: Type.Boolean(),
  engine: Type.String(),
  os: Type.String(),
  architecture: Type.String(),
  kernelVersion: Type.String(),
  agentVersion: Type.String(),
  runtimes: Type.Array(Type.String()),
  labels: Labels,
  cpus: Type.Integer(),
  memory: Type.Integer({ description: 'MiB' }),
  disk: Type.Integer({ description: 'GiB' }),
  neutronHost: Type.String({ description: "What Neutron's agent there calls it, beside an OpenStack." }),
  networkProblem: orNull(Type.String({ description: 'Why it cannot build networks.' })),
  volumeProblem: orNull(Type.String({ description: 'Why it cannot hold volumes.' })),
  used: Type.Object({ containers: Type.Integer(), cpu: Type.Number(), memory: Type.Number(), disk: Type.Number() }),
  limits: Type.Object(
    {
      containers: orNull(Type.Integer()),
      cpu: Type.Number(),
      memory: Type.Number(),
      disk: Type.Number(),
    },
    { description: 'How much of each may be promised; null: as many as there is room for.' },
  ),
  virtualization: orNull(Type.String({ description: 'What the machine runs in: none, kvm, docker, ….' })),
  instance: orNull(Type.String({ description: "The server of Nova's that it is." })),
  leases: Type.Boolean({ description: 'It stops containers with a lease by itself when no server reaches it.' }),
  createdAt: Time,
  lastSeenAt: Time,
})
export type HostView = Static<typeof Host>

const Action = Type.Object({
  id: Type.String(),
  name: Type.String(),
  requestId: Type.String(),
  userId: Type.String(),
  startedAt: Time,
  finishedAt: orNull(Time),
  error: orNull(Type.String()),
  events: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        startedAt: Time,
        finishedAt: orNull(Time),
        result: orNull(Type.String()),
        detail: orNull(Type.String()),
      }),
    ),
  ),
})
export type ActionView = Static<typeof Action>

const limit = Type.Number({ minimum: -1, maximum: 1e15 })
const Quotas = Type.Object({ containers: limit, cpu: limit, memory: limit, disk: limit, imageBytes: limit })
export const SetQuotas = Type.Object(
  {
    containers: Type.Optional(limit),
    cpu: Type.Optional(limit),
    memory: Type.Optional(limit),
    disk: Type.Optional(limit),
    imageBytes: Type.Optional(limit),
  },
  { ...exact, minProperties: 1 },
)

const Event = Type.Object({
  at: Time,
  kind: Type.Literal('container'),
  id: Type.String(),
  name: Type.String(),
  projectId: Type.String(),
  status: Type.String(),
  statusReason: orNull(Type.String()),
  exitCode: orNull(Type.Integer()),
  health: Type.Optional(
    Type.Union([Type.Literal('starting'), Type.Literal('healthy'), Type.Literal('unhealthy')], {
      description: 'What its health check found last; left out where it has none.',
    }),
  ),
  gone: Type.Boolean(),
})
export type EventView = Static<typeof Event>

const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'Stable; `container.not-found` and the like.' }),
    kind: Type.String(),
    message: Type.String({ description: 'A sentence for a person.' }),
    retry: Type.Boolean({ description: 'The same call may succeed later.' }),
    requestId: Type.String(),
    field: Type.Optional(
      Type.String({ description: 'The field of the body that it speaks of, as a JSON pointer: `/nets/0/network`.' }),
    ),
  }),
})

/** The shared schemas of the document, by name. */
export const documents = {
  Container,
  ContainerList: Type.Object({
    ...listOf('containers', 'Container').properties,
    next: orNull(Type.String({ description: 'The marker of the next page; null: this is the last.' })),
  }),
  ContainerSummary,
  ContainersMade: Type.Object({
    containers: Type.Array(Type.Object({ id: Type.String({ format: 'uuid' }), name: Type.String() })),
  }),
  ...eventDocuments,
  ...auditDocuments,
  ...imageDocuments,
  Host,
  HostList: listOf('hosts', 'Host'),
  Action,
  ActionList: listOf('actions', 'Action'),
  Quotas,
  QuotaUse: Type.Object({ projectId: Type.String(), limits: Quotas, used: Quotas }),
  Event,
  ExecArgs,
  ...networkDocuments,
  ...storageDocuments,
  ...registryDocuments,
  ...certificateDocuments,
  Error: ErrorBody,
} as const
