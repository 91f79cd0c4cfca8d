/** What a connection is for, told by ALPN: a host's session, images for it, a machine that wants to become a host, or another server. */
export const protocols = {
  agent: 'gantry-agent/1',
  registry: 'gantry-registry/1',
  enrol: 'gantry-enrol/1',
  peer: 'gantry-peer/1',
} as const
