// Installs the helper and logs in. Only this job's environment has the key to the login, so that no
// other job on the runner can use it.
'use strict';
const { execFileSync } = require('node:child_process');
const { appendFileSync, mkdtempSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');

const { env } = process;
const input = (name) => (env[`INPUT_${name}`] ?? '').trim();
const NAME = 'docker-credential-refresh';

function main() {
  const registry = input('REGISTRY');
  const release =
    input('RELEASE') ||
    `${env.GITHUB_SERVER_URL}/${env.GITHUB_ACTION_REPOSITORY}/releases/download/${env.GITHUB_ACTION_REF}`;
  const version = basename(release).replace(/^v/, '');

  const job = mkdtempSync(join(env.RUNNER_TEMP, 'docker-'));
  const stdio = ['ignore', 'inherit', 'inherit'];
  execFileSync('sh', [join(__dirname, '..', 'install.sh'), release, version, job], { stdio });
  const helper = join(job, NAME);

  const identity = execFileSync(helper, ['keygen'], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }).trim();
  console.log(`::add-mask::${identity}`);
  writeFileSync(join(job, 'config.json'), '{"credsStore": "refresh"}\n');
  const variables = {
    DOCKER_CONFIG: job,
    DOCKER_CREDENTIAL_REFRESH_PROFILE: basename(job),
    DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY: identity,
  };
  for (const [name, value] of Object.entries(variables)) appendFileSync(env.GITHUB_ENV, `${name}=${value}\n`);
  appendFileSync(env.GITHUB_PATH, `${job}\n`);
  appendFileSync(env.GITHUB_STATE, `helper=${helper}\nregistry=${registry}\n`);

  // The password goes by stdin alone, and to no process that we start.
  const { INPUT_PASSWORD, ...others } = env;
  execFileSync(helper, ['login', '--username', input('USERNAME'), '--password-stdin', registry], {
    env: { ...others, ...variables },
    input: INPUT_PASSWORD,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
}

try {
  main();
} catch (error) {
  // Of a program that failed, its own message is on the log already.
  console.log(`::error::${NAME}: ${error.message.split('\n')[0]}`);
  process.exitCode = 1;
}
