import { Button, Paper, Stack, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { quotaQuery } from '../../api/nouns.ts'
import { summaryQuery } from '../../api/overview.ts'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { QuotaBar, quotaKinds } from '../../parts/quota-bar.tsx'
import { useSession } from '../../shell/session.tsx'
import { Counts } from './counts.tsx'
import { Feed } from './feed.tsx'
import { HostMap } from './host-map.tsx'
import classes from './overview.module.css'
import { Troubles } from './troubles.tsx'

/** What runs, what is wrong, what is left, and what happened. */
export function Overview() {
  const session = useSession()
  const summary = useQuery(summaryQuery)
  const launch = (
    <Button component={Link} to="/launch">
      Launch containers
    </Button>
  )
  return (
    <Page title="Overview" actions={launch}>
      {summary.error && (
        <Failure
          error={summary.error}
          what="The containers could not be counted"
          onRetry={() => void summary.refetch()}
        />
      )}
      {summary.data?.total === 0 ? (
        <Section title="Containers">
          <Empty title="Nothing runs in this project yet" action={launch}>
            A container needs an image, say nginx, and nothing else: name, size and network have sensible defaults.
          </Empty>
        </Section>
      ) : (
        summary.data && <Counts summary={summary.data} />
      )}
      <Troubles summary={summary.data} isAdmin={session.isAdmin} />
      <div className={classes['sections']}>
        <div className={classes['left']}>
          <Section title="Quota">
            <Quota />
          </Section>
          {session.isAdmin && (
            <Section title="Hosts">
              <HostMap />
            </Section>
          )}
        </div>
        <Section title="Activity">
          <Feed />
        </Section>
      </div>
    </Page>
  )
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  )
}

function Quota() {
  const { data, error, refetch } = useQuery(quotaQuery)
  if (error && !data) return <Failure error={error} what="The quota could not be read" onRetry={() => void refetch()} />
  return (
    <Stack gap="sm">
      {data &&
        quotaKinds.map((kind) => <QuotaBar key={kind} kind={kind} used={data.used[kind]} limit={data.limits[kind]} />)}
    </Stack>
  )
}
