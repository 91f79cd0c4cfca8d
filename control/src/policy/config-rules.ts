import {
  allowed,
  type Check,
  confined,
  type FieldRules,
  fieldsOf,
  ignored,
  mapOf,
  refused,
  refusedBy,
} from './field-rule.ts'
import { isNothing } from './canonical.ts'
import { volumesCheck } from './mount-checks.ts'

const own = "Of the container's own processes"
const stream = 'What its client reads and writes'
const builder = 'It is for builders'

/** What stands beside HostConfig in the body of a create. Further fields mean nothing, to engines neither. */
export const configRules: FieldRules = {
  ArgsEscaped: ignored('It is of Windows only'),
  AttachStderr: allowed(stream),
  AttachStdin: allowed(stream),
  AttachStdout: allowed(stream),
  Cmd: allowed(own),
  Domainname: allowed(own),
  Entrypoint: allowed(own),
  Env: allowed(own),
  ExposedPorts: allowed('They open nothing by themselves'),
  Healthcheck: allowed('It runs inside the container'),
  Hostname: allowed(own),
  Image: confined("The project's images, public ones, and registries that policy does not refuse"),
  Labels: confined("Names that begin with `gantry.` are the service's and passed over"),
  MacAddress: confined('Of its own port, whose network lets no other pass'),
  NetworkDisabled: allowed('It only narrows'),
  OnBuild: ignored(builder),
  OpenStdin: allowed(stream),
  Shell: ignored(builder),
  StdinOnce: allowed(stream),
  StopSignal: allowed(own),
  StopTimeout: allowed(own),
  Tty: allowed(stream),
  User: allowed('A user of its own; the host knows it by the same number, but shares no file with it'),
  Volumes: confined("Each is a new volume of the project's; not over the files of the kernel", volumesCheck),
  WorkingDir: allowed(own),
}

const told = 'What an engine says of an endpoint, sent back'

/** One network in `NetworkingConfig.EndpointsConfig`, or in the body of a connect. */
export const endpointRules: FieldRules = {
  Aliases: allowed("Names in the project's own networks"),
  DNSNames: ignored(told),
  DriverOpts: refused('DriverOpts', 'They are orders to a network driver of the host'),
  EndpointID: ignored(told),
  Gateway: ignored(told),
  GlobalIPv6Address: ignored(told),
  GlobalIPv6PrefixLen: ignored(told),
  GwPriority: ignored('Later versions have it'),
  IPAMConfig: refusedBy("Addresses of the network's own subnets; link-local ones are refused", ipamConfigCheck()),
  IPAddress: ignored(told),
  IPPrefixLen: ignored(told),
  IPv6Gateway: ignored(told),
  Links: confined("Containers of the project's"),
  MacAddress: confined('Of its own port, whose network lets no other pass'),
  NetworkID: ignored(told),
}

function ipamConfigCheck(): Check {
  return (value) => {
    const { LinkLocalIPs } = fieldsOf('IPAMConfig', ['IPv4Address', 'IPv6Address', 'LinkLocalIPs'], value)
    const reason = 'the host uses such addresses itself'
    return isNothing(LinkLocalIPs) ? [] : [{ field: 'IPAMConfig LinkLocalIPs', reason, lifts: [] }]
  }
}

/** `EndpointsConfig`'s keys are networks. */
export const networkKeysCheck: Check = (value) =>
  Object.keys(mapOf('EndpointsConfig', value)).flatMap((key) =>
    /^(host|container:.*)$/i.test(key)
      ? [{ field: `NetworkMode ${key.slice(0, 80)}`, reason: "only the project's own networks", lifts: [] }]
      : [],
  )

/** The body of a create of an exec. */
export const execRules: FieldRules = {
  AttachStderr: allowed(stream),
  AttachStdin: allowed(stream),
  AttachStdout: allowed(stream),
  Cmd: allowed(own),
  ConsoleSize: allowed('The size of its terminal'),
  Container: ignored('The path says which'),
  Detach: allowed(stream),
  DetachKeys: allowed(stream),
  Env: allowed(own),
  Privileged: refused('Privileged', 'All capabilities: what the container was not given'),
  Tty: allowed(stream),
  User: allowed("A user of the container's own"),
  WorkingDir: allowed(own),
}
