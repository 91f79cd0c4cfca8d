import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** Go's zero values are sent for everything that was not said: null counts as absent. */
const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const strings = Type.Array(Type.String())
const stringMap = Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]))
const anything = Type.Record(Type.String(), Type.Unknown())

/** The parts of the API's container config that are acted upon; policy has judged all the others. */
export const ConfigBody = Type.Object({
  Image: maybe(Type.String()),
  Cmd: maybe(Type.Union([strings, Type.String()])),
  Entrypoint: maybe(Type.Union([strings, Type.String()])),
  Env: maybe(strings),
  Labels: maybe(Type.Union([stringMap, strings])),
  Hostname: maybe(Type.String()),
  Domainname: maybe(Type.String()),
  User: maybe(Type.String()),
  WorkingDir: maybe(Type.String()),
  Tty: maybe(Type.Boolean()),
  OpenStdin: maybe(Type.Boolean()),
  StdinOnce: maybe(Type.Boolean()),
  AttachStdin: maybe(Type.Boolean()),
  AttachStdout: maybe(Type.Boolean()),
  AttachStderr: maybe(Type.Boolean()),
  ExposedPorts: maybe(anything),
  Volumes: maybe(anything),
  StopSignal: maybe(Type.String()),
  StopTimeout: maybe(Type.Integer()),
  NetworkDisabled: maybe(Type.Boolean()),
  MacAddress: maybe(Type.String()),
  Shell: maybe(strings),
  Healthcheck: maybe(
    Type.Object({
      Test: maybe(strings),
      Interval: maybe(Type.Integer()),
      Timeout: maybe(Type.Integer()),
      StartPeriod: maybe(Type.Integer()),
      StartInterval: maybe(Type.Integer()),
      Retries: maybe(Type.Integer()),
    }),
  ),
  HostConfig: maybe(anything),
  NetworkingConfig: maybe(anything),
})

export const HostConfigBody = Type.Object({
  Memory: maybe(Type.Integer()),
  MemoryReservation: maybe(Type.Integer()),
  MemorySwap: maybe(Type.Integer()),
  NanoCpus: maybe(Type.Integer()),
  CpuQuota: maybe(Type.Integer()),
  CpuPeriod: maybe(Type.Integer()),
  CpuShares: maybe(Type.Integer()),
  PidsLimit: maybe(Type.Integer()),
  OomScoreAdj: maybe(Type.Integer()),
  RestartPolicy: maybe(Type.Object({ Name: maybe(Type.String()), MaximumRetryCount: maybe(Type.Integer()) })),
  AutoRemove: maybe(Type.Boolean()),
  Init: maybe(Type.Boolean()),
  ReadonlyRootfs: maybe(Type.Boolean()),
  Tmpfs: maybe(Type.Record(Type.String(), Type.String())),
  ShmSize: maybe(Type.Integer()),
  Ulimits: maybe(Type.Array(Type.Object({ Name: Type.String(), Soft: Type.Integer(), Hard: Type.Integer() }))),
  Sysctls: maybe(Type.Record(Type.String(), Type.String())),
  CapAdd: maybe(strings),
  CapDrop: maybe(strings),
  ExtraHosts: maybe(strings),
  Dns: maybe(strings),
  DnsSearch: maybe(strings),
  DnsOptions: maybe(strings),
  GroupAdd: maybe(strings),
  IpcMode: maybe(Type.String()),
  LogConfig: maybe(Type.Object({ Type: maybe(Type.String()), Config: maybe(stringMap) })),
  NetworkMode: maybe(Type.String()),
  PortBindings: maybe(anything),
  PublishAllPorts: maybe(Type.Boolean()),
  Binds: maybe(strings),
  VolumeDriver: maybe(Type.String()),
  Mounts: maybe(Type.Array(anything)),
  Links: maybe(strings),
})

export type ConfigBody = Static<typeof ConfigBody>
export type HostConfigBody = Static<typeof HostConfigBody>

export const checkConfig = Compile(ConfigBody)
export const checkHostConfig = Compile(HostConfigBody)
