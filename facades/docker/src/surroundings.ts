import type { Container } from '@gantry/model'

type Json = Readonly<Record<string, unknown>>

/** What a container's view shows of networks, ports and volumes, looked up once for all containers of an answer. */
export interface Surroundings {
  /** `Ports` of a list entry. */
  ports(container: Container): readonly Json[]
  /** `NetworkSettings.Ports`: `{"80/tcp":[{HostIp,HostPort}]}`. */
  portMap(container: Container): Json
  /** By the network's name: the endpoint. */
  networks(container: Container): Json
  /** The addresses that the API repeats outside of the map, of the network `bridge`. */
  primaryNetwork(container: Container): Json
  /** The mode that was asked, or the primary network's name. */
  networkMode(container: Container): string
  mounts(container: Container): readonly Json[]
}
