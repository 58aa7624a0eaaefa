// SPDX-License-Identifier: Apache-2.0
// Channels over WebSocket, by npm's ws.
//
//   ws.js exec URL PROTOCOL [SIZE]   our stdin goes to channel 0, then its end is said where the
//                                    protocol can; prints one object: what came on each channel
//   ws.js forward URL PROTOCOL TEXT UNTIL  sends TEXT on channel 0, prints what came on each once
//                                    UNTIL is in what came on that
'use strict'
const WebSocket = require('ws')
const [mode, target, protocol, ...args] = process.argv.slice(2)
const url = require('./ask')(target)
const base64 = protocol.includes('base64')
const socket = new WebSocket(url.replace('http', 'ws'), protocol ? [protocol] : [], { rejectUnauthorized: false })
const channels = {}

function send (number, data) {
  socket.send(base64
    ? number + Buffer.from(data).toString('base64')
    : Buffer.concat([Buffer.from([number]), Buffer.from(data)]))
}

function finish (code) {
  const result = { protocol: socket.protocol, code }
  for (const number in channels) result[number] = channels[number].toString(mode === 'forward' ? 'latin1' : 'utf8')
  console.log(JSON.stringify(result))
}

socket.on('open', () => {
  if (mode === 'forward') return send(0, args[0])
  if (args[0]) send(4, args[0])
  process.stdin.on('data', (data) => send(0, data))
  process.stdin.on('end', () => {
    if (protocol === 'v5.channel.k8s.io') socket.send(Buffer.from([255, 0]))
  })
})
socket.on('message', (data, binary) => {
  if (binary === base64) throw new Error('a message of the wrong type')
  const number = base64 ? data.toString()[0] : data[0]
  const part = base64 ? Buffer.from(data.toString().slice(1), 'base64') : data.subarray(1)
  channels[number] = Buffer.concat([channels[number] || Buffer.alloc(0), part])
  if (mode === 'forward' && channels[0].includes(args[1])) socket.close(1000)
})
socket.on('close', (code) => finish(code))
socket.on('unexpected-response', (request, response) => {
  console.log(JSON.stringify({ status: response.statusCode }))
  process.exit(0)
})
socket.on('error', (error) => { console.error(error.message); process.exit(1) })
