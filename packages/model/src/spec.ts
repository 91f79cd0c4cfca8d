import Type, { type Static } from 'typebox'
import { RunOptions } from './run-options.ts'

const StringMap = Type.Record(Type.String(), Type.String())

export const RestartPolicy = Type.Object({
  name: Type.Union([
    Type.Literal('no'),
    Type.Literal('always'),
    Type.Literal('on-failure'),
    Type.Literal('unless-stopped'),
  ]),
  /** Only with `on-failure`; 0 means no limit. */
  maxRetries: Type.Integer({ minimum: 0 }),
})
export type RestartPolicy = Static<typeof RestartPolicy>

export const Healthcheck = Type.Object({
  /** Run by the container's own `/bin/sh -c`. */
  command: Type.String(),
  intervalSeconds: Type.Integer({ minimum: 0 }),
  timeoutSeconds: Type.Integer({ minimum: 0 }),
  retries: Type.Integer({ minimum: 0 }),
})
export type Healthcheck = Static<typeof Healthcheck>

export const PullPolicy = Type.Union([Type.Literal('always'), Type.Literal('never'), Type.Literal('ifnotpresent')])
export type PullPolicy = Static<typeof PullPolicy>

export const ImageDriver = Type.Union([Type.Literal('docker'), Type.Literal('glance')])
export type ImageDriver = Static<typeof ImageDriver>

/** What the user asked a container to be. Written by use cases only. */
export const ContainerSpec = Type.Object({
  /** As the user wrote it: `busybox:latest`, a digest reference or an id. */
  image: Type.String(),
  imageDriver: ImageDriver,
  pullPolicy: PullPolicy,
  /** null: the image's own. */
  command: Type.Union([Type.Array(Type.String()), Type.Null()]),
  entrypoint: Type.Union([Type.Array(Type.String()), Type.Null()]),
  workdir: Type.Union([Type.String(), Type.Null()]),
  environment: StringMap,
  labels: StringMap,
  hints: StringMap,
  hostname: Type.Union([Type.String(), Type.Null()]),
  /** Cores; a hard cap, fractions allowed. */
  cpu: Type.Number({ exclusiveMinimum: 0 }),
  cpuPolicy: Type.Union([Type.Literal('shared'), Type.Literal('dedicated')]),
  /** MiB; a hard cap. */
  memory: Type.Integer({ minimum: 4 }),
  /** GiB, counted in the quota and enforced by the engine; 0: not limited. */
  disk: Type.Integer({ minimum: 0 }),
  restartPolicy: RestartPolicy,
  interactive: Type.Boolean(),
  /** Its stdin ends with that of the first client attached to it; never with a terminal. Absent: it stays open. */
  stdinOnce: Type.Optional(Type.Boolean()),
  tty: Type.Boolean(),
  autoRemove: Type.Boolean(),
  autoHeal: Type.Boolean(),
  privileged: Type.Boolean(),
  runtime: Type.Union([Type.String(), Type.Null()]),
  healthcheck: Type.Union([Healthcheck, Type.Null()]),
  /** `80/tcp`. */
  exposedPorts: Type.Array(Type.String()),
  availabilityZone: Type.Union([Type.String(), Type.Null()]),
  /** A host's name that an administrator asked for. */
  requestedHost: Type.Union([Type.String(), Type.Null()]),
  options: Type.Optional(RunOptions),
})
export type ContainerSpec = Static<typeof ContainerSpec>

/** The spec of a container about which only the image is known. */
export function defaultSpec(image: string): ContainerSpec {
  return {
    image,
    imageDriver: 'docker',
    pullPolicy: 'ifnotpresent',
    command: null,
    entrypoint: null,
    workdir: null,
    environment: {},
    labels: {},
    hints: {},
    hostname: null,
    cpu: 1,
    cpuPolicy: 'shared',
    memory: 512,
    disk: 0,
    restartPolicy: { name: 'no', maxRetries: 0 },
    interactive: false,
    tty: false,
    autoRemove: false,
    autoHeal: false,
    privileged: false,
    runtime: null,
    healthcheck: null,
    exposedPorts: [],
    availabilityZone: null,
    requestedHost: null,
  }
}
