import { Button, Loader, Text } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { floatingIpsQuery, mostContainers, newestContainersQuery, routersQuery, subnetsQuery } from '../../api/lists.ts'
import { networksQuery, portsQuery } from '../../api/nouns.ts'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { layout } from './layout.ts'
import { Picture } from './picture.tsx'

/** The networks of the project and what hangs on them. */
export function TopologyPage() {
  const lists = useQueries({
    queries: [networksQuery, subnetsQuery, routersQuery, floatingIpsQuery, portsQuery],
  })
  const containers = useQuery(newestContainersQuery)
  const [networks, subnets, routers, floatingIps, ports] = lists
  const failed = [...lists, containers].find(({ error }) => error !== null)
  const isThere = networks.data && subnets.data && routers.data && floatingIps.data && ports.data && containers.data
  const topology =
    isThere &&
    layout({
      networks: networks.data,
      subnets: subnets.data,
      routers: routers.data,
      floatingIps: floatingIps.data,
      ports: ports.data,
      containers: containers.data.containers,
    })
  return (
    <Page title="Topology">
      {failed?.error && (
        <Failure error={failed.error} what="The networks could not be read" onRetry={() => void failed.refetch()} />
      )}
      {!topology && !failed && <Loader aria-label="Loading the networks" />}
      {topology?.lanes.length === 0 && (
        <Empty
          title="No networks yet"
          action={
            <Button component={Link} to="/launch">
              Launch containers
            </Button>
          }
        >
          The first container of a project gets a network with a way out. What is on which network is drawn here.
        </Empty>
      )}
      {topology && topology.lanes.length > 0 && <Picture topology={topology} />}
      {containers.data && containers.data.next !== null && (
        <Text size="sm" c="dimmed">
          Only the newest {mostContainers} containers are in the picture.
        </Text>
      )}
    </Page>
  )
}
