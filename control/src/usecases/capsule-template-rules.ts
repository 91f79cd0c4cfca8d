import { Fault } from '@gantry/kernel'
import Type, { type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

/** An object's fields that are known, each with the end of the sentence "… must be …". */
type Rules = Readonly<Record<string, readonly [schema: TSchema, expected: string]>>
export type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown, path: string) => Fields

const noNul = '^[^\\u0000]*$'
const text = (minLength = 0, maxLength = 65_536) => Type.String({ minLength, maxLength, pattern: noNul })
const anything = Type.Unknown()
const object = Type.Object({})
const some = (items: TSchema, minItems = 0) => Type.Array(items, { minItems, maxItems: 1024 })
const number = Type.Union([Type.Number(), Type.String({ pattern: '^[0-9]{1,9}(\\.[0-9]{1,6})?$' })])
const portNumber = Type.Integer({ minimum: 1, maximum: 65_535 })
/** YAML reads `PORT: 80` as a number, and nobody means one. */
const textMap = Type.Unsafe<Record<string, string | number | boolean>>({
  type: 'object',
  maxProperties: 1024,
  propertyNames: { type: 'string', pattern: noNul, minLength: 1, maxLength: 1024 },
  additionalProperties: Type.Union([text(), Type.Number(), Type.Boolean()]),
})
const aName = text(1, 255)

export const templateFields = check(
  {
    kind: [Type.String({ pattern: '^[Cc]apsule$' }), '"capsule"'],
    capsuleVersion: [Type.String({ pattern: '^[Bb]eta$' }), '"beta"'],
    metadata: [object, 'an object'],
    spec: [object, 'an object'],
    availabilityZone: [aName, 'the name of a zone'],
    restartPolicy: [anything, ''],
  },
  ['spec'],
)

export const metadataFields = check({
  name: [
    Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$' }),
    '2 to 255 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
  ],
  labels: [textMap, 'a map of strings'],
  annotations: [textMap, 'a map of strings'],
})

/** Open: what is not known is left alone, as Zun does here. */
export const specFields = check(
  {
    containers: [some(object, 1), 'a list of at least one container'],
    initContainers: [some(object), 'a list of containers'],
    volumes: [some(object), 'a list of volumes'],
    restartPolicy: [Type.String({ pattern: '^(Always|OnFailure|Never)$' }), 'Always, OnFailure or Never'],
    availabilityZone: [aName, 'the name of a zone'],
    nets: [some(object), 'a list of objects with a network or a port'],
    securityGroups: [some(aName), 'a list of names or ids'],
  },
  ['containers'],
  'open',
)

export const containerFields = check(
  {
    image: [Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\s\\u0000]+$' }), 'the name of an image'],
    name: [text(0, 255), 'a string'],
    command: [some(text()), 'a list of strings'],
    args: [some(text()), 'a list of strings'],
    resources: [object, 'an object with "requests"'],
    ports: [some(object), 'a list of objects with a containerPort'],
    volumeMounts: [some(object), 'a list of objects with a name and a mountPath'],
    env: [textMap, 'a map of names to strings'],
    workDir: [Type.String({ maxLength: 4096, pattern: '^/[^\\u0000]*$' }), 'an absolute path'],
    imagePullPolicy: [
      Type.String({ pattern: '^([Aa]lways|[Nn]ever|[Ii]f[Nn]ot[Pp]resent)$' }),
      'Always, IfNotPresent or Never',
    ],
    stdin: [Type.Boolean(), 'true or false'],
    tty: [Type.Boolean(), 'true or false'],
  },
  ['image'],
)

export const resourcesFields = check({ requests: [object, 'an object with cpu and memory'] })

export const requestsFields = check({
  cpu: [number, 'a number of cores'],
  memory: [number, 'a number of MiB'],
})

export const portFields = check(
  {
    containerPort: [portNumber, 'a port number'],
    hostPort: [portNumber, 'a port number'],
    name: [text(0, 255), 'a string'],
    protocol: [Type.String({ pattern: '^(TCP|UDP|tcp|udp)$' }), 'TCP or UDP'],
  },
  ['containerPort'],
)

export const volumeMountFields = check(
  {
    name: [aName, 'the name of one of the volumes of spec.volumes'],
    mountPath: [Type.String({ maxLength: 4096, pattern: '^/[^\\u0000]*$' }), 'an absolute path'],
    readOnly: [Type.Boolean(), 'true or false'],
  },
  ['name', 'mountPath'],
)

export const volumeFields = check(
  { name: [aName, 'a name'], cinder: [object, 'an object with a volumeID or a size'] },
  ['name', 'cinder'],
)

export const cinderFields = check({
  volumeID: [aName, 'the id of a volume'],
  size: [number, 'a whole number of GiB'],
  autoRemove: [Type.Boolean(), 'true or false'],
})

export const netFields = check({
  network: [aName, 'the name or id of a network'],
  port: [aName, 'the name or id of a port'],
  'v4-fixed-ip': [text(1, 64), 'an IPv4 address'],
  'v6-fixed-ip': [text(1, 64), 'an IPv6 address'],
})

/** Throws `request.invalid` with one sentence about one thing that is wrong in a capsule's template. */
export function refuseTemplate(problem: string): never {
  throw new Fault('request.invalid', { problem: `The capsule template is not valid: ${problem}` })
}

/** A field that is null is taken as one that is not there: YAML writes an empty one so. */
function check(rules: Rules, required: readonly string[] = [], kind: 'open' | 'closed' = 'closed'): Check {
  const checks = new Map(Object.entries(rules).map(([name, rule]) => [name, compiled(rule)]))
  return (value, path) => {
    const fields = Object.fromEntries(Object.entries(value as Fields).filter(([, field]) => field !== null))
    const at = (name: string) => `${path === '' ? '' : `${path}.`}${name.slice(0, 80)}`
    const missing = required.find((name) => !Object.hasOwn(fields, name))
    if (missing !== undefined) refuseTemplate(`${at(missing)} is missing.`)
    for (const [name, field] of Object.entries(fields)) {
      const rule = checks.get(name)
      if (!rule && kind === 'closed') refuseTemplate(`${at(name)} is not a field that is known here.`)
      if (rule && !rule.accepts(field)) refuseTemplate(`${at(name)} must be ${rule.expected}.`)
    }
    return fields
  }
}

function compiled([schema, expected]: readonly [TSchema, string]) {
  // At the first template that has the field: a server may never see one.
  let validator: Validator | undefined
  const accepts = (value: unknown): boolean => {
    validator ??= Compile<TSchema>(schema)
    return validator.Check(value)
  }
  return { expected, accepts }
}
