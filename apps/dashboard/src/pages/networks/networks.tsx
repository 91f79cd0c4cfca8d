import { Page } from '../../parts/page.tsx'
import { Tabbed } from '../../parts/tabbed.tsx'
import { FloatingIpList } from './floating-ips.tsx'
import { SecurityGroupList } from './groups.tsx'
import { NetworkList } from './network-list.tsx'
import { PortList } from './ports.tsx'
import { RouterList } from './routers.tsx'
import { SubnetList } from './subnets.tsx'

/** All that connects containers to each other and to the world. */
export function Networks() {
  return (
    <Page title="Networks">
      <Tabbed
        label="Kinds"
        tabs={[
          { id: 'networks', label: 'Networks', content: <NetworkList /> },
          { id: 'subnets', label: 'Subnets', content: <SubnetList /> },
          { id: 'ports', label: 'Ports', content: <PortList /> },
          { id: 'routers', label: 'Routers', content: <RouterList /> },
          { id: 'floating-ips', label: 'Floating IPs', content: <FloatingIpList /> },
          { id: 'groups', label: 'Security groups', content: <SecurityGroupList /> },
        ]}
      />
    </Page>
  )
}
