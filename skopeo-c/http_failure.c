/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/http_failure.h"

#include "skopeo-c/http.h"

int http_failed(const struct http_request *request, const char *name, struct error *err)
{
	switch (request->result) {
	case HTTP_UNTRUSTED:
		error_set(err, ERROR_DENIED, "the certificate of %s is not trusted: %s", name,
			  request->failure);
		return error_hint(err, "name its authority with --cert-dir or in certs.d, or use "
				       "--tls-verify=false");
	case HTTP_NO_CHECK:
		error_set(err, ERROR_DENIED, "the certificate of %s cannot be checked: %s", name,
			  request->failure);
		return error_hint(err, "install the package ca-certificates, or name its authority "
				       "with --cert-dir");
	case HTTP_BAD_PROXY:
		return error_set(err, ERROR_DENIED,
				 "the certificate of the proxy before %s is not trusted: %s", name,
				 request->failure);
	case HTTP_NOT_TLS:
		error_set(err, ERROR_TEMPORARY, "%s does not speak TLS: %s", name,
			  request->failure);
		return error_hint(err, "--tls-verify=false, or insecure in registries.conf, allows "
				       "plain http");
	case HTTP_TOO_LARGE:
		return error_set(err, ERROR_LIMIT, "%s: an answer is larger than %zu bytes", name,
				 request->answer_max ? request->answer_max
						     : (size_t)HTTP_ANSWER_MAX);
	case HTTP_UNREACHABLE:
		return error_set(err, ERROR_TEMPORARY, "cannot reach %s: %s", name,
				 request->failure);
	case HTTP_ABORTED:
	case HTTP_BROKEN:
	case HTTP_ANSWERED:
		break;
	}
	return error_set(err, ERROR_TEMPORARY, "%s: the connection broke: %s", name,
			 request->failure);
}
