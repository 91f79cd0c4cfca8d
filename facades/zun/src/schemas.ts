import { isIPv4, isIPv6 } from 'node:net'
import Type, { type TSchema } from 'typebox'
import { parseBoolean } from './arguments.ts'
import type { BodyRules, FieldRule } from './body-rules.ts'

const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])
/** Strings that may reach the engine: a NUL would end them early. */
const plain = (maxLength = 65_536, minLength = 0) => Type.String({ minLength, maxLength, pattern: '^[^\\u0000]*$' })
const numeric = nullable(Type.Union([Type.Number(), Type.String({ maxLength: 32 })]))
const bool = Type.Union([Type.Boolean(), Type.String({ maxLength: 8 })])
const isBool = (value: unknown) => parseBoolean(value) !== undefined
const name = Type.String({ minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$' })

const nameRule: FieldRule = {
  schema: nullable(name),
  expected: '2 to 255 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
}
const flagRule: FieldRule = { schema: bool, also: isBool, expected: 'a boolean' }
const cpuRule: FieldRule = { schema: numeric, also: within(0.1, 16, false), expected: 'a number from 0.1 to 16' }
const memoryRule: FieldRule = {
  schema: numeric,
  also: within(4, 8192, true),
  expected: 'an integer of MiB from 4 to 8192',
}
const imageRule: FieldRule = {
  schema: Type.String({
    minLength: 2,
    maxLength: 255,
    pattern: '^[^\\s\\u0000]*[a-zA-Z0-9][a-zA-Z0-9_.-][^\\s\\u0000]*$',
  }),
  expected: 'the name of an image, 2 to 255 characters without spaces',
}
const wordsRule: FieldRule = { schema: nullable(Type.Array(plain())), expected: 'a list of strings' }
const anyMap = nullable(Type.Record(Type.String(), Type.Unknown()))

const restartPolicy = Type.Object(
  {
    Name: Type.Union(['no', 'always', 'on-failure', 'unless-stopped'].map((word) => Type.Literal(word))),
    MaximumRetryCount: Type.Optional(
      nullable(
        Type.Union([Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }), Type.String({ pattern: '^[0-9]{1,9}$' })]),
      ),
    ),
  },
  { additionalProperties: false },
)

const seconds = Type.Union([Type.Integer({ minimum: 0, maximum: 86_400 }), Type.String({ pattern: '^[0-9]{1,5}$' })])
const healthcheck = Type.Object(
  {
    cmd: plain(65_536, 1),
    interval: Type.Optional(seconds),
    timeout: Type.Optional(seconds),
    retries: Type.Optional(seconds),
  },
  { additionalProperties: false },
)

const net = Type.Object(
  {
    network: Type.Optional(plain(255, 1)),
    port: Type.Optional(plain(255, 1)),
    'v4-fixed-ip': Type.Optional(Type.String({ maxLength: 15 })),
    'v6-fixed-ip': Type.Optional(Type.String({ maxLength: 45 })),
  },
  { additionalProperties: false },
)
const mount = Type.Object(
  {
    type: Type.Optional(Type.Union([Type.Literal('volume'), Type.Literal('bind')])),
    source: Type.Optional(plain(1024 * 1024, 1)),
    destination: Type.String({ maxLength: 255, pattern: '^/[^\\u0000]*[^/\\u0000][^\\u0000]*$' }),
    size: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.String({ pattern: '^[1-9][0-9]{0,5}$' })]),
    ),
  },
  { additionalProperties: false },
)

/** POST /v1/containers. Names and limits: Zun API reference, "Create new container". */
export const createRules: BodyRules = {
  name: nameRule,
  image: imageRule,
  command: [
    { until: 19, schema: nullable(plain()), expected: 'a string before version 1.20' },
    { from: 20, schema: nullable(Type.Array(plain())), expected: 'a list of strings since version 1.20' },
  ],
  entrypoint: { ...wordsRule, from: 40 },
  cpu: cpuRule,
  cpu_policy: {
    schema: nullable(Type.Union([Type.Literal('dedicated'), Type.Literal('shared')])),
    expected: 'dedicated or shared',
  },
  memory: memoryRule,
  disk: { schema: numeric, also: within(1, 160, true), expected: 'an integer of GiB from 1 to 160' },
  workdir: {
    schema: nullable(Type.String({ maxLength: 4096, pattern: '^(/[^\\u0000]*)?$' })),
    expected: 'an absolute path',
  },
  environment: {
    schema: nullable(Type.Record(Type.String(), plain())),
    also: hasEnvironmentNames,
    expected: 'a map of names (not empty, without = ) to strings',
  },
  labels: { schema: anyMap, expected: 'a map' },
  hints: { schema: anyMap, expected: 'a map' },
  image_pull_policy: {
    schema: nullable(Type.String({ pattern: '^([Nn]ever|[Aa]lways|ifnotpresent|IfNotPresent|Ifnotpresent)$' })),
    expected: 'never, always or ifnotpresent',
  },
  image_driver: {
    schema: nullable(Type.Union(['docker', 'glance', 'None'].map((word) => Type.Literal(word)))),
    expected: 'docker or glance',
  },
  restart_policy: {
    schema: nullable(restartPolicy),
    expected: 'a map of Name (no, always, on-failure, unless-stopped) and MaximumRetryCount',
  },
  interactive: flagRule,
  tty: { ...flagRule, from: 36 },
  auto_remove: { schema: nullable(Type.Boolean()), expected: 'true, false or null' },
  auto_heal: flagRule,
  privileged: flagRule,
  security_groups: {
    schema: nullable(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 64 })),
    expected: 'a list of at most 64 names or ids',
  },
  exposed_ports: {
    schema: nullable(Type.Record(Type.String(), Type.Object({}, { additionalProperties: false }))),
    also: hasPortNames,
    expected: 'a map of ports ("80", "80/tcp", "53/udp") to empty maps',
  },
  nets: {
    schema: nullable(Type.Array(net)),
    also: (nets) => nets === null || (nets as Record<string, string>[]).every(isNet),
    expected: 'a list of maps with either network or port, and v4-fixed-ip or v6-fixed-ip',
  },
  mounts: {
    schema: nullable(Type.Array(mount)),
    also: (mounts) => mounts === null || (mounts as object[]).every((mount) => 'source' in mount || 'size' in mount),
    expected: 'a list of maps with destination (an absolute path), source or size, and type (volume or bind)',
  },
  runtime: { schema: nullable(plain(255)), expected: 'the name of a runtime' },
  hostname: {
    schema: nullable(Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-zA-Z0-9._-]+$' })),
    expected: '1 to 63 letters, digits, dots, dashes or underscores',
  },
  healthcheck: {
    schema: nullable(healthcheck),
    expected: 'a map of cmd and, in whole seconds or counts, interval, timeout and retries',
  },
  availability_zone: { schema: nullable(plain(255, 1)), expected: 'a string of 1 to 255 characters' },
  registry: { schema: nullable(name), expected: 'the name or id of a registry' },
  host: {
    schema: nullable(Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]+$' })),
    expected: 'the name of a host',
    from: 39,
  },
}

/** PATCH /v1/containers/{c}; `resize_container` takes the first two. */
export const updateRules: BodyRules = {
  cpu: cpuRule,
  memory: memoryRule,
  name: nameRule,
  auto_heal: flagRule,
}
export const resizeRules: BodyRules = { cpu: cpuRule, memory: memoryRule }

/** POST /v1/images. */
export const pullRules: BodyRules = {
  repo: imageRule,
  host: { schema: plain(255, 1), expected: 'the name of a host' },
  image_id: { schema: nullable(plain(255)), expected: 'a string' },
  tag: {
    schema: nullable(Type.String({ maxLength: 128, pattern: '^[A-Za-z0-9_.-]*$' })),
    expected: 'the tag of an image',
  },
  size: { schema: nullable(Type.Union([Type.Number(), plain(64)])), expected: 'a size' },
  image_pull_policy: { schema: nullable(plain(32)), expected: 'a string' },
}

const limitRule: FieldRule = {
  schema: numeric,
  also: within(-1, 2 ** 31 - 1, true),
  expected: 'an integer of at least -1',
}

/** PUT /v1/quotas/{project} and /v1/quota_classes/{class}. */
export const quotaRules: BodyRules = {
  containers: limitRule,
  memory: limitRule,
  cpu: limitRule,
  disk: limitRule,
}

/** POST /v1/networks. */
export const networkRules: BodyRules = {
  name: { schema: plain(255, 1), expected: 'the name of a network' },
  neutron_net_id: { schema: plain(255, 1), expected: 'the id of a network' },
}

/** POST /v1/capsules; what is in the template is control's to judge. */
export const capsuleRules: BodyRules = {
  template: {
    schema: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.String()]),
    expected: 'a map, or the JSON text of one',
  },
}

function isNet(net: Record<string, string>): boolean {
  const { 'v4-fixed-ip': ipv4 = '', 'v6-fixed-ip': ipv6 = '' } = net
  if ('network' in net === 'port' in net) return false
  return (ipv4 === '' || isIPv4(ipv4)) && (ipv6 === '' || (isIPv6(ipv6) && !ipv6.includes('%')))
}

function within(min: number, max: number, whole: boolean): (value: unknown) => boolean {
  const form = whole ? /^-?\d+$/ : /^\d*\.?\d+$/
  return (value) => {
    if (value === null) return true
    if (typeof value === 'string' && !form.test(value)) return false
    const number = Number(value)
    return number >= min && number <= max && (!whole || Number.isInteger(number))
  }
}

function hasEnvironmentNames(value: unknown): boolean {
  return value === null || Object.keys(value as object).every((name) => /^[^=\0]+$/.test(name))
}

function hasPortNames(value: unknown): boolean {
  if (value === null) return true
  return Object.keys(value as object).every((port) => {
    const match = /^(\d{1,5})(\/(tcp|udp))?$/.exec(port)
    return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535
  })
}
