import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, type Difference, type Pair, script, startPair, untold } from '../fixtures/docker-script.ts'

/** A shop of three services and a task, as compose files are written. */
const composeFile = `
version: '2.4'
services:
  store:
    image: busybox
    command: sh -c 'echo stored > /data/index.html; touch /data/ready; exec httpd -f -p 8000 -h /data'
    volumes: [goods:/data]
    networks:
      back:
        aliases: [db]
    healthcheck:
      test: [CMD, test, -e, /data/ready]
      interval: 300ms
      retries: 30
  app:
    build: ./app
    environment:
      GREETING: hello
    depends_on:
      store:
        condition: service_healthy
    networks: [front, back]
    ports: ['18090:80', '81']
    labels:
      tier: front
    stop_grace_period: 1s
  probe:
    image: busybox
    command: sh -c 'until wget -qO- http://app/; do sleep 0.2; done; exec sleep 1000'
    depends_on: [app]
    networks: [front]
    stop_signal: KILL
  once:
    image: busybox
    command: sh -c 'echo worked; exit 3'
    profiles: [tasks]
networks:
  front: {}
  back:
    driver: bridge
    internal: true
volumes:
  goods:
    labels:
      of: shop
`

const lines = script`
  docker-compose config -q
  docker-compose --ansi never up -d 2>&1 | grep -E 'done|rror|Successfully tagged|Creating (network|volume)' | sort
  docker-compose ps
  docker-compose ps --services
  docker-compose ps --filter status=running --services | sort
  sleep 2; docker-compose logs --no-color probe
  docker-compose exec -T app wget -qO- http://db:8000/
  echo piped | docker-compose exec -T app cat
  docker-compose exec -T app sh -c 'exit 5'
  docker-compose exec -T -e X=y -w /tmp -u nobody app sh -c 'echo $X $(pwd) $(id -un)'
  docker-compose --ansi never run --rm -T probe wget -qO- http://app/ 2>/dev/null
  docker-compose --ansi never run --rm -T -e X=y app sh -c 'echo $X $GREETING; exit 4' 2>/dev/null
  docker-compose port app 80
  nsenter --net=$NETNS busybox wget -qO- http://$(docker-compose port app 80)/
  docker-compose top app | grep -c httpd
  docker-compose images | awk '{print $1, $2, $3}'
  docker network ls --filter label=com.docker.compose.project=shop --format '{{.Name}}' | sort
  docker volume ls --filter label=of=shop -q
  docker ps --filter label=com.docker.compose.service=app --filter label=com.docker.compose.oneoff=False --format '{{.Names}} {{.Label "tier"}}'
  docker inspect -f '{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{end}}' shop_app_1
  docker-compose --ansi never up -d 2>&1 | sort
  sed -i s/hello/changed/ docker-compose.yml; docker-compose --ansi never up -d 2>&1 | grep -E 'done|rror' | sort
  docker-compose exec -T app sh -c 'echo $GREETING'
  docker-compose --ansi never up -d --scale probe=3 2>&1 | grep -E 'done|rror' | sort
  docker-compose ps -q probe | wc -l
  docker-compose --ansi never up -d --scale probe=1 2>&1 | grep -E 'done|rror' | sort
  docker-compose --ansi never pause app 2>&1 | tail -1; docker-compose ps app | tail -1; docker-compose --ansi never unpause app 2>&1 | tail -1
  docker-compose --ansi never stop -t 1 2>&1 | grep -E 'done|rror' | sort
  docker-compose ps --filter status=stopped --services | sort
  docker-compose --ansi never start 2>&1 | grep -E 'done|rror' | sort
  docker-compose --ansi never restart -t 0 app 2>&1 | tail -1
  docker-compose exec -T probe wget -qO- http://app/
  docker-compose --ansi never kill probe 2>&1 | tail -1; docker-compose ps probe | tail -1
  docker-compose --ansi never rm -f probe 2>&1 | tail -1
  docker-compose --ansi never up --no-color --exit-code-from once once 2>/dev/null
  docker-compose --ansi never create probe 2>&1 | grep done
  docker-compose build -q app >/dev/null 2>&1; echo $?
  docker-compose --ansi never down -v --rmi local -t 0 2>&1 | sort
  docker ps -aq | wc -l; docker volume ls -q | wc -l; docker network ls --filter type=custom -q | wc -l
  docker-compose --ansi never down 2>&1 | sort
`

const outside = 'ports are published on the public address of the project, not on those of a machine'
const published = /0\.0\.0\.0:18090->80\/tcp,:::18090->80\/tcp, 0\.0\.0\.0:\d+->81\/tcp,:::\d+->81\/tcp/
const ours = /<ip>:18090->80\/tcp, <ip>:\d+->81\/tcp/

const differences: readonly Difference[] = [
  { line: 'docker-compose ps', engine: published, gantry: ours, why: outside },
  { line: 'docker-compose port app 80', engine: /0\.0\.0\.0:18090/, gantry: /<ip>:18090/, why: outside },
  { line: 'docker-compose --ansi never pause app', engine: published, gantry: ours, why: outside },
]

describe('docker-compose, on a plain engine and on Gantry', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await startPair()
    for (const { folder } of [pair.engine, pair.gantry]) {
      await mkdir(join(folder, 'app'))
      await writeFile(join(folder, 'docker-compose.yml'), composeFile)
      await writeFile(
        join(folder, 'app/Dockerfile'),
        'FROM busybox\nCOPY index.html /www/\nCMD ["httpd", "-f", "-h", "/www"]\n',
      )
      await writeFile(join(folder, 'app/index.html'), 'welcome\n')
    }
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  it('brings a project up, changes it and takes it down', { timeout: 400_000 }, async () => {
    const used = await compare(pair, lines, differences)
    expect(differences.filter((one) => !used.has(one)).map(({ line }) => line)).toEqual([])
    expect(await untold(differences)).toEqual([])
  })
})
