/** What a connection is for, told by ALPN: a host's session, images for it, or a machine that wants to become a host. */
export const protocols = {
  agent: 'gantry-agent/1',
  registry: 'gantry-registry/1',
  enrol: 'gantry-enrol/1',
} as const
