import { Paper, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { projectsQuery } from '../../api/identity.ts'
import { quotaQuery } from '../../api/nouns.ts'
import { Failure } from '../../parts/failure.tsx'
import { Listing } from '../../parts/listing.tsx'
import { Page } from '../../parts/page.tsx'
import { useSession } from '../../shell/session.tsx'
import { QuotaBars } from './quota-bars.tsx'
import { deeds, ProjectQuota } from './project-quota.tsx'

/** What the project may use and does; administrators see and change it for every project. */
export function Quotas() {
  const session = useSession()
  const { data, error, refetch } = useQuery(quotaQuery)
  return (
    <Page title="Quotas">
      <Paper withBorder p="md" maw={640}>
        <Title order={2} size="h4" mb="sm">
          {session.project.name}
        </Title>
        {error && !data && <Failure error={error} what="The quota could not be read" onRetry={() => void refetch()} />}
        {data && <QuotaBars quota={data} />}
        {!session.isAdmin && (
          <Text size="sm" c="dimmed" mt="md">
            Ask an administrator of the cloud if you need more.
          </Text>
        )}
      </Paper>
      {session.isAdmin && <AllProjects ownIdentity={session.ownIdentity} />}
    </Page>
  )
}

/** Where another Keystone keeps the projects, those that one may sign in to. */
function AllProjects({ ownIdentity }: { readonly ownIdentity: boolean }) {
  const session = useSession()
  const kept = useQuery({ ...projectsQuery, enabled: ownIdentity })
  const known = useQuery({
    queryKey: ['project', 'of-session'],
    queryFn: () => session.projects,
    enabled: !ownIdentity,
  })
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        Every project
      </Title>
      <Listing<{ id: string; name: string }>
        noun="project"
        query={ownIdentity ? kept : known}
        columns={[
          { label: 'Name', value: ({ name }) => name },
          { label: 'Id', value: ({ id }) => id },
        ]}
        nameOf={({ name }) => name}
        factsOf={({ id }) => [['Id', id]]}
        more={({ id }) => <ProjectQuota project={id} />}
        deeds={deeds}
        touches={['quota']}
        about="Projects have quotas."
      />
    </Stack>
  )
}
