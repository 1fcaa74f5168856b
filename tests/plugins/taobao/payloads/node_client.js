// Calls the simulator with the npm package node-taobao-topclient and prints what it got as JSON.
const TopClient = require('node-taobao-topclient').default || require('node-taobao-topclient');

const given = JSON.parse(process.argv[2]);
const client = new TopClient({ appkey: given.key, appsecret: given.secret, REST_URL: given.url });

async function main() {
  const page = await client.execute(
    'taobao.trades.sold.get',
    { session: given.session, fields: 'tid,status,orders', page_no: '1', page_size: '40' },
    given.verb,
  );
  const send = { session: given.session, tid: given.tid, company_code: 'SF', out_sid: 'SF0000000000001' };
  const shipped = await client.execute('taobao.logistics.offline.send', send, given.verb);
  const refused = await client.execute('taobao.logistics.offline.send', send, given.verb).catch((error) => error.sub_code);
  console.log(JSON.stringify({ listed: page.total_results, shipped: shipped.shipping, refused }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
