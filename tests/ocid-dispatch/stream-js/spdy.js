// SPDX-License-Identifier: Apache-2.0
// The streams of a command over SPDY/3.1, by npm's spdy-transport, which keeps to flow control.
//
//   spdy.js exec URL STREAMS PROTOCOLS    stdin is ours, if STREAMS (with commas) has it; prints
//                                         one object: what came on each, the chosen protocol
//   spdy.js slow URL                      reads stdout of an exec slowly: the bytes that came, or
//                                         "paused" on stderr once when 1 MiB is there
//   spdy.js forward URL PORT COUNT TEXT   sends TEXT on so many forwards at once, ends that half,
//                                         and prints how many brought it back, errors
'use strict'
const transport = require('spdy-transport')
const [mode, target, ...args] = process.argv.slice(2)
const url = require('./ask')(target)
const http = require(url.split(':')[0])

function upgrade (protocols, connected) {
  const request = http.request(url, {
    method: 'POST',
    rejectUnauthorized: false,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      ...(protocols && { 'X-Stream-Protocol-Version': protocols.split(',') })
    }
  })
  request.on('response', (response) => {
    let text = ''
    response.on('data', (data) => { text += data })
    response.on('end', () => {
      console.log(JSON.stringify({ status: response.statusCode, text: text.trim() }))
    })
  })
  request.on('upgrade', (response, socket, head) => {
    const connection = transport.connection.create(socket, { protocol: 'spdy', isServer: false })
    connection.on('error', (error) => console.error('connection: ' + error.message))
    connection.start(3.1)
    if (head.length > 0) socket.unshift(head)
    connected(connection, socket, response.headers['x-stream-protocol-version'])
  })
  request.on('error', (error) => { console.error(error.message); process.exit(1) })
  request.end()
}

function open (connection, headers, opened) {
  connection.request({ method: 'POST', host: 'x', path: '/', headers }, (error, stream) => {
    if (error) throw error
    stream.on('error', () => {})
    opened(stream)
  })
}

function exec (streams, protocols) {
  upgrade(protocols, (connection, socket, protocol) => {
    const result = { protocol }
    let left = 0
    for (const name of streams.split(',')) {
      open(connection, { streamtype: name }, (stream) => {
        if (name === 'stdin') process.stdin.pipe(stream)
        if (name === 'resize') {
          stream.write('{"Width":91,"Height":37}\n')
          setTimeout(() => stream.write('{"Width":92,"Height":38}'), 300)
        }
        if (name === 'stdin' || name === 'resize') return
        left++
        result[name] = ''
        stream.on('data', (data) => { result[name] += data })
        stream.on('end', () => {
          if (--left === 0) {
            console.log(JSON.stringify(result))
            process.exit(0)
          }
        })
      })
    }
  })
}

function slow () {
  upgrade('v4.channel.k8s.io', (connection) => {
    let total = 0
    open(connection, { streamtype: 'error' }, (stream) => stream.resume())
    open(connection, { streamtype: 'stdout' }, (stream) => {
      stream.on('data', (data) => {
        if (total < 1 << 20 && total + data.length >= 1 << 20) {
          stream.pause()
          console.error('paused')
          process.stdin.once('data', () => stream.resume())
        }
        total += data.length
      })
      stream.on('end', () => { console.log(total); process.exit(0) })
    })
  })
}

function forward (port, count, text) {
  upgrade('portforward.k8s.io', (connection, socket) => {
    let same = 0; let left = 2 * count; const errors = []
    const ended = () => {
      if (--left > 0) return
      console.log(JSON.stringify({ same, errors: [...new Set(errors)] }))
      socket.destroy()
      process.exit(0)
    }
    for (let id = 0; id < count; id++) {
      const headers = { port, requestid: String(id) }
      open(connection, { streamtype: 'error', ...headers }, (stream) => {
        let said = ''
        stream.end()
        stream.on('data', (data) => { said += data })
        stream.on('end', () => { if (said) errors.push(said); ended() })
      })
      open(connection, { streamtype: 'data', ...headers }, (stream) => {
        let got = ''
        stream.on('data', (data) => { got += data })
        stream.on('end', () => { same += got === text + id; ended() })
        stream.end(text + id)
      })
    }
  })
}

if (mode === 'exec') exec(args[0], args[1])
if (mode === 'slow') slow()
if (mode === 'forward') forward(args[0], Number(args[1]), args[2])
