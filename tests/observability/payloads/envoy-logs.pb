
¡
h
%
deployment.environment.name
test
!
service.instance.id

router-1

service.name

fig-router´±	ègË_›vë*
POST /h 2002
fig.side
lambda2
fig.assigned
lambda2 
http.response.body.size
6492
fig.duration_ms
162
	fig.flags
-2
	user.hash
0cd469b0aecb290d2

fig.weight
100002
client.address
	127.0.0.12"
http.response.status_code
2002
fig.request_id
cap-22
	fig.route
	by-header2
http.request.method
POST2
http.request.body.size
62
url.path
/hJ¼a¦›×‚:ÆÅh Ç&?Rp£çL„Ã½è
å
h
%
deployment.environment.name
test
!
service.instance.id

router-1

service.name

fig-routerøÃ	È«•]›vë*
POST /h 2002
url.path
/h2
fig.side
lambda2
fig.assigned
lambda2
fig.duration_ms
92
	fig.flags
-2 
http.response.body.size
6152
http.request.body.size
02"
http.response.status_code
2002

fig.weight
100002
client.address
	127.0.0.12,
fig.request_id
weight-140093479422352-02
	user.hash
0cd469b0aecb290d2
http.request.method
POST2
	fig.route
	by-headerJ:?–M>ˆóQ¢¢œÂRsk.ŸÅ´¦Å¯	à°O^›vë*

GET /h 2002
	fig.route
	by-header2 
http.response.body.size
6492
	user.hash
0cd469b0aecb290d2
url.path
/h2
http.request.method
GET2
fig.side
lambda2
fig.request_id
cap-12
client.address
	127.0.0.12
fig.assigned
lambda2
	fig.flags
-2
fig.duration_ms
112"
http.response.status_code
2002
http.request.body.size
02

fig.weight
10000JÙØrÓ)e7_°ŸT‡ ®UR#¼…¢ö