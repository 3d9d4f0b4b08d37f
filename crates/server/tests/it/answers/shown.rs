//! The answers. A table of data.

/// An action, and what it answers to a typical request.
pub(super) struct Shown {
    pub(super) action: &'static str,
    pub(super) query: &'static str,
    pub(super) body: &'static str,
    pub(super) answer: &'static str,
}

/// In the order in which they are asked.
pub(super) const SHOWN: &[Shown] = &[
    Shown {
        action: "root.get",
        query: "",
        body: "",
        answer: r#"200 {
  "name": "Guestlist",
  "version": "<version>",
  "description": "A directory and sign-in service for the end users of applications",
  "openapi": "/openapi.json",
  "resources": {
    "administrator": "/administrators/{administratorId}",
    "administratorSession": "/administrators/{administratorId}/sessions/{sessionId}",
    "administratorSessions": "/administrators/{administratorId}/sessions",
    "administrators": "/administrators",
    "application": "/applications/{applicationId}",
    "applicationApiToken": "/applications/{applicationId}/tokens/{apiTokenId}",
    "applicationApiTokens": "/applications/{applicationId}/tokens",
    "applicationQuotas": "/applications/{applicationId}/quotas",
    "applications": "/applications",
    "experience": "/applications/{applicationId}/experience",
    "experienceAddressChanges": "/applications/{applicationId}/experience/users/{experienceUserId}/addressChange",
    "experienceAuth": "/applications/{applicationId}/experience/authenticate",
    "experienceGroup": "/applications/{applicationId}/experience/groups/{experienceGroupId}",
    "experienceGroups": "/applications/{applicationId}/experience/groups",
    "experienceInvitation": "/applications/{applicationId}/experience/invitations/{experienceInvitationId}",
    "experienceInvitations": "/applications/{applicationId}/experience/invitations",
    "experienceKey": "/applications/{applicationId}/experience/keys/{kid}",
    "experienceKeys": "/applications/{applicationId}/experience/keys",
    "experienceLinks": "/applications/{applicationId}/experience/links/{purpose}",
    "experienceMails": "/applications/{applicationId}/experience/mails",
    "experiencePasswordResets": "/applications/{applicationId}/experience/users/{experienceUserId}/passwordReset",
    "experienceSignIn": "/applications/{applicationId}/experience/signIn",
    "experienceUser": "/applications/{applicationId}/experience/users/{experienceUserId}",
    "experienceUserTokens": "/applications/{applicationId}/experience/users/{experienceUserId}/tokens",
    "experienceUsers": "/applications/{applicationId}/experience/users",
    "me": "/me",
    "userApiToken": "/me/tokens/{apiTokenId}",
    "userApiTokens": "/me/tokens"
  }
}"#,
    },
    Shown { action: "root.healthz", query: "", body: "", answer: r#"200 {"status":"ok"}"# },
    Shown { action: "root.readyz", query: "", body: "", answer: r#"200 {"status":"ok"}"# },
    Shown {
        action: "root.openapi",
        query: "",
        body: "",
        answer: r#"200 {
  "openapi": "3.0.3",
  "info": {
    "title": "Guestlist",
    "version": "<version>",
    "description": "A directory and sign-in service for the end users of applications. A request needs a token with at least one of the scopes in its `x-scopes`.",
    "license": {"name":"Apache-2.0 OR MIT"}
  },
  "servers": [{"url":"/"}],
  "tags": [
    {
      "name": "root",
      "description": "What this server is. This document. Whether the process lives. Whether the store reads, and whether it takes changes."
    },
    {
      "name": "whitelabel",
      "description": "Where this server is, as the platform's command line asks when it signs in."
    },
    {
      "name": "auth",
      "description": "Sign in as an administrator. Whether an address signs in elsewhere; none does here."
    },
    {
      "name": "me",
      "description": "Show me. Change me. Change my password. Go on with a new token, of the same scopes and for as long again."
    },
    {"name":"administrators","description":"List administrators."},
    {
      "name": "administrator",
      "description": "Show an administrator. Disable an administrator, let one in again, or give one a new password. Remove an administrator, with their sessions and API tokens."
    },
    {
      "name": "administratorSessions",
      "description": "List the sessions of an administrator. End all sessions of an administrator."
    },
    {"name":"administratorSession","description":"End a session of an administrator."},
    {"name":"applications","description":"List applications. Make an application."},
    {
      "name": "application",
      "description": "Show an application. Change an application. Delete an application and everything in it."
    },
    {
      "name": "applicationQuotas",
      "description": "Show what an application holds and may hold. Change what an application may hold."
    },
    {
      "name": "applicationApiTokens",
      "description": "List an application's tokens. Make a token of an application."
    },
    {
      "name": "applicationApiToken",
      "description": "Show a token of an application. Change a token of an application. Revoke a token of an application."
    },
    {"name":"userApiTokens","description":"List my tokens. Make a token of mine."},
    {
      "name": "userApiToken",
      "description": "Show a token of mine. Change a token of mine. Revoke a token of mine."
    },
    {
      "name": "experience",
      "description": "Delete all users and groups of an application, but for what is kept. Make a user and a group to begin with."
    },
    {"name":"experienceUsers","description":"List users. Make a user."},
    {"name":"experienceUser","description":"Show a user. Change a user. Delete a user."},
    {
      "name": "experienceAuth",
      "description": "Sign a user in. Tell whether a token of a user is good, and whose it is. Tell whether a user is in a group, or in one that this is in."
    },
    {
      "name": "experienceUserTokens",
      "description": "Make a token for a user. End all tokens of a user. Make a token for a user with this address or id, if there is one."
    },
    {
      "name": "experienceSignIn",
      "description": "Show what an application offers to the people who sign in to it. Change what an application offers to the people who sign in to it."
    },
    {
      "name": "experienceKeys",
      "description": "List the keys that sign the tokens of users. Make a key that signs the tokens of users after the present one."
    },
    {
      "name": "experienceKey",
      "description": "Withdraw a key, none of whose tokens is good any more."
    },
    {
      "name": "experienceInvitations",
      "description": "List invitations that nobody has accepted. Ask somebody to become a user."
    },
    {"name":"experienceInvitation","description":"Take an invitation back."},
    {"name":"experiencePasswordResets","description":"Let a user choose a new password."},
    {
      "name": "experienceAddressChanges",
      "description": "Let a user show that an address is theirs, and have it."
    },
    {"name":"experienceLinks","description":"Use a link that was mailed to somebody."},
    {
      "name": "visitor",
      "description": "Ask to become a user. Ask for a new password. Use a link that was mailed to one."
    },
    {"name":"experienceMails","description":"List what was mailed to users within a month."},
    {"name":"experienceGroups","description":"List groups. Make a group."},
    {"name":"experienceGroup","description":"Show a group. Change a group. Delete a group."}
  ],
  "paths": "...",
  "components": {"schemas":"...","responses":"...","securitySchemes":"..."}
}"#,
    },
    Shown {
        action: "auth.authenticateUser",
        query: "",
        body: r#"{ "email": "administrator@example.com", "password": "PASSWORD" }"#,
        answer: r#"200 {"userId":"<administrator>","token":"<token>"}"#,
    },
    Shown { action: "auth.ssoDomain", query: "?email=ann@example.com", body: "", answer: "204" },
    Shown {
        action: "whitelabel.domain",
        query: "",
        body: "",
        answer: r#"200 {"appUrl":"https://guests.example.com","endpointDomain":"guests.example.com"}"#,
    },
    Shown {
        action: "me.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<administrator>",
  "userId": "<administrator>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
  "email": "administrator@example.com",
  "fullName": "administrator@example.com",
  "avatarUrl": "https://secure.gravatar.com/avatar/768aa9757e70b9ac63928cd3f8893ce2?d=retro&s=240",
  "emailVerified": true,
  "needsToVerifyEmail": false,
  "twoFactorAuthEnabled": false,
  "_type": "me",
  "_actions": {
    "changePassword": {"href":"/me/changePassword","method":"PATCH","params":["data"]},
    "get": {"href":"/me","method":"GET","params":["includeRecent","summaryExclude","summaryInclude"]},
    "patch": {
      "href": "/me",
      "method": "PATCH",
      "params": ["includeRecent","summaryExclude","summaryInclude","user"]
    },
    "refreshToken": {"href":"/me/refreshToken","method":"GET"}
  },
  "_links": {"self":{"href":"/me"}}
}"#,
    },
    Shown {
        action: "me.patch",
        query: "",
        body: r#"{ "firstName": "Ada" }"#,
        answer: r#"200 {
  "id": "<administrator>",
  "userId": "<administrator>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:09.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
  "email": "administrator@example.com",
  "fullName": "Ada",
  "avatarUrl": "https://secure.gravatar.com/avatar/768aa9757e70b9ac63928cd3f8893ce2?d=retro&s=240",
  "emailVerified": true,
  "needsToVerifyEmail": false,
  "twoFactorAuthEnabled": false,
  "firstName": "Ada",
  "_type": "me",
  "_actions": {
    "changePassword": {"href":"/me/changePassword","method":"PATCH","params":["data"]},
    "get": {"href":"/me","method":"GET","params":["includeRecent","summaryExclude","summaryInclude"]},
    "patch": {
      "href": "/me",
      "method": "PATCH",
      "params": ["includeRecent","summaryExclude","summaryInclude","user"]
    },
    "refreshToken": {"href":"/me/refreshToken","method":"GET"}
  },
  "_links": {"self":{"href":"/me"}}
}"#,
    },
    Shown {
        action: "me.refreshToken",
        query: "",
        body: "",
        answer: r#"200 {"userId":"<administrator>","token":"<token>"}"#,
    },
    Shown {
        action: "userApiTokens.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<token of the administrator>",
      "apiTokenId": "<token of the administrator>",
      "ownerId": "<administrator>",
      "ownerType": "user",
      "name": "of a test",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:00.000Z",
      "scope": ["me.get"],
      "status": "active",
      "_type": "userApiToken",
      "_actions": {
        "delete": {
          "href": "/me/tokens/<token of the administrator>",
          "method": "DELETE",
          "params": ["withChildren"]
        },
        "get": {"href":"/me/tokens/<token of the administrator>","method":"GET"},
        "patch": {"href":"/me/tokens/<token of the administrator>","method":"PATCH","params":["apiToken"]}
      },
      "_links": {"self":{"href":"/me/tokens/<token of the administrator>"}}
    }
  ],
  "ownerId": "<administrator>",
  "ownerType": "user",
  "perPage": 100,
  "page": 0,
  "sortField": "name",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "userApiTokens",
  "_actions": {
    "get": {
      "href": "/me/tokens",
      "method": "GET",
      "params": ["sortField","sortDirection","page","perPage","cursor","filterField","filter"]
    },
    "post": {"href":"/me/tokens","method":"POST","params":["apiToken"]}
  },
  "_links": {"self":{"href":"/me/tokens"}}
}"#,
    },
    Shown {
        action: "userApiTokens.post",
        query: "",
        body: r#"{ "name": "made", "scope": ["me.get"] }"#,
        answer: r#"201 {
  "id": "<new>",
  "apiTokenId": "<new>",
  "ownerId": "<administrator>",
  "ownerType": "user",
  "creatorId": "<administrator>",
  "creatorType": "user",
  "creatorName": "Ada",
  "name": "made",
  "creationDate": "2026-06-21T00:00:12.000Z",
  "lastUpdated": "2026-06-21T00:00:12.000Z",
  "scope": ["me.get"],
  "status": "active",
  "token": "<token>",
  "_type": "userApiToken",
  "_actions": {
    "delete": {"href":"/me/tokens/<new>","method":"DELETE","params":["withChildren"]},
    "get": {"href":"/me/tokens/<new>","method":"GET"},
    "patch": {"href":"/me/tokens/<new>","method":"PATCH","params":["apiToken"]}
  },
  "_links": {"self":{"href":"/me/tokens/<new>"}}
}"#,
    },
    Shown {
        action: "userApiToken.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<token of the administrator>",
  "apiTokenId": "<token of the administrator>",
  "ownerId": "<administrator>",
  "ownerType": "user",
  "name": "of a test",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "scope": ["me.get"],
  "status": "active",
  "_type": "userApiToken",
  "_actions": {
    "delete": {
      "href": "/me/tokens/<token of the administrator>",
      "method": "DELETE",
      "params": ["withChildren"]
    },
    "get": {"href":"/me/tokens/<token of the administrator>","method":"GET"},
    "patch": {"href":"/me/tokens/<token of the administrator>","method":"PATCH","params":["apiToken"]}
  },
  "_links": {"self":{"href":"/me/tokens/<token of the administrator>"}}
}"#,
    },
    Shown {
        action: "userApiToken.patch",
        query: "",
        body: r#"{ "description": "changed" }"#,
        answer: r#"200 {
  "id": "<token of the administrator>",
  "apiTokenId": "<token of the administrator>",
  "ownerId": "<administrator>",
  "ownerType": "user",
  "name": "of a test",
  "description": "changed",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:14.000Z",
  "scope": ["me.get"],
  "status": "active",
  "_type": "userApiToken",
  "_actions": {
    "delete": {
      "href": "/me/tokens/<token of the administrator>",
      "method": "DELETE",
      "params": ["withChildren"]
    },
    "get": {"href":"/me/tokens/<token of the administrator>","method":"GET"},
    "patch": {"href":"/me/tokens/<token of the administrator>","method":"PATCH","params":["apiToken"]}
  },
  "_links": {"self":{"href":"/me/tokens/<token of the administrator>"}}
}"#,
    },
    Shown { action: "userApiToken.delete", query: "", body: "", answer: r#"200 {"success":true}"# },
    Shown {
        action: "applications.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<application>",
      "applicationId": "<application>",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:00.000Z",
      "ownerId": "<new>",
      "ownerType": "organization",
      "organizationName": "Guestlist",
      "name": "Demo",
      "summary": {"apiTokenCount":1,"experienceGroupCount":1,"experienceUserCount":1},
      "_type": "application",
      "_actions": {
        "delete": {"href":"/applications/<application>","method":"DELETE"},
        "get": {
          "href": "/applications/<application>",
          "method": "GET",
          "params": ["summaryExclude","summaryInclude"]
        },
        "patch": {
          "href": "/applications/<application>",
          "method": "PATCH",
          "params": ["summaryExclude","summaryInclude","application"]
        }
      },
      "_links": {"self":{"href":"/applications/<application>"}}
    }
  ],
  "perPage": 100,
  "page": 0,
  "sortField": "name",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "applications",
  "_actions": {
    "get": {
      "href": "/applications",
      "method": "GET",
      "params": [
        "sortField",
        "sortDirection",
        "page",
        "perPage",
        "cursor",
        "filterField",
        "filter",
        "orgId",
        "summaryExclude",
        "summaryInclude"
      ]
    },
    "post": {
      "href": "/applications",
      "method": "POST",
      "params": ["summaryExclude","summaryInclude","application"]
    }
  },
  "_links": {"self":{"href":"/applications"}}
}"#,
    },
    Shown {
        action: "applications.post",
        query: "",
        body: r#"{ "name": "made" }"#,
        answer: r#"201 {
  "id": "<new>",
  "applicationId": "<new>",
  "creationDate": "2026-06-21T00:00:17.000Z",
  "lastUpdated": "2026-06-21T00:00:17.000Z",
  "ownerId": "<new>",
  "ownerType": "organization",
  "organizationName": "Guestlist",
  "name": "made",
  "summary": {"apiTokenCount":0,"experienceGroupCount":0,"experienceUserCount":0},
  "_type": "application",
  "_actions": {
    "delete": {"href":"/applications/<new>","method":"DELETE"},
    "get": {"href":"/applications/<new>","method":"GET","params":["summaryExclude","summaryInclude"]},
    "patch": {
      "href": "/applications/<new>",
      "method": "PATCH",
      "params": ["summaryExclude","summaryInclude","application"]
    }
  },
  "_links": {"self":{"href":"/applications/<new>"}}
}"#,
    },
    Shown {
        action: "application.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<application>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "ownerId": "<new>",
  "ownerType": "organization",
  "organizationName": "Guestlist",
  "name": "Demo",
  "summary": {"apiTokenCount":1,"experienceGroupCount":1,"experienceUserCount":1},
  "_type": "application",
  "_actions": {
    "delete": {"href":"/applications/<application>","method":"DELETE"},
    "get": {
      "href": "/applications/<application>",
      "method": "GET",
      "params": ["summaryExclude","summaryInclude"]
    },
    "patch": {
      "href": "/applications/<application>",
      "method": "PATCH",
      "params": ["summaryExclude","summaryInclude","application"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>"}}
}"#,
    },
    Shown {
        action: "application.patch",
        query: "",
        body: r#"{ "description": "changed" }"#,
        answer: r#"200 {
  "id": "<application>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:19.000Z",
  "ownerId": "<new>",
  "ownerType": "organization",
  "organizationName": "Guestlist",
  "name": "Demo",
  "description": "changed",
  "summary": {"apiTokenCount":1,"experienceGroupCount":1,"experienceUserCount":1},
  "_type": "application",
  "_actions": {
    "delete": {"href":"/applications/<application>","method":"DELETE"},
    "get": {
      "href": "/applications/<application>",
      "method": "GET",
      "params": ["summaryExclude","summaryInclude"]
    },
    "patch": {
      "href": "/applications/<application>",
      "method": "PATCH",
      "params": ["summaryExclude","summaryInclude","application"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>"}}
}"#,
    },
    Shown {
        action: "applicationApiTokens.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<token of the application>",
      "apiTokenId": "<token of the application>",
      "ownerId": "<application>",
      "ownerType": "application",
      "name": "of a test",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:00.000Z",
      "scope": ["all.Application.read"],
      "status": "active",
      "_type": "applicationApiToken",
      "_actions": {
        "delete": {
          "href": "/applications/<application>/tokens/<token of the application>",
          "method": "DELETE",
          "params": ["withChildren"]
        },
        "get": {"href":"/applications/<application>/tokens/<token of the application>","method":"GET"},
        "patch": {
          "href": "/applications/<application>/tokens/<token of the application>",
          "method": "PATCH",
          "params": ["apiToken"]
        }
      },
      "_links": {"self":{"href":"/applications/<application>/tokens/<token of the application>"}}
    }
  ],
  "ownerId": "<application>",
  "ownerType": "application",
  "perPage": 100,
  "page": 0,
  "sortField": "name",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "applicationApiTokens",
  "_actions": {
    "get": {
      "href": "/applications/<application>/tokens",
      "method": "GET",
      "params": ["sortField","sortDirection","page","perPage","cursor","filterField","filter"]
    },
    "post": {"href":"/applications/<application>/tokens","method":"POST","params":["apiToken"]}
  },
  "_links": {"self":{"href":"/applications/<application>/tokens"}}
}"#,
    },
    Shown {
        action: "applicationApiTokens.post",
        query: "",
        body: r#"{ "name": "made", "scope": ["experienceUser.get"] }"#,
        answer: r#"201 {
  "id": "<new>",
  "apiTokenId": "<new>",
  "ownerId": "<application>",
  "ownerType": "application",
  "creatorId": "<administrator>",
  "creatorType": "user",
  "creatorName": "Ada",
  "name": "made",
  "creationDate": "2026-06-21T00:00:21.000Z",
  "lastUpdated": "2026-06-21T00:00:21.000Z",
  "scope": ["experienceUser.get"],
  "status": "active",
  "token": "<token>",
  "_type": "applicationApiToken",
  "_actions": {
    "delete": {
      "href": "/applications/<application>/tokens/<new>",
      "method": "DELETE",
      "params": ["withChildren"]
    },
    "get": {"href":"/applications/<application>/tokens/<new>","method":"GET"},
    "patch": {"href":"/applications/<application>/tokens/<new>","method":"PATCH","params":["apiToken"]}
  },
  "_links": {"self":{"href":"/applications/<application>/tokens/<new>"}}
}"#,
    },
    Shown {
        action: "applicationApiToken.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<token of the application>",
  "apiTokenId": "<token of the application>",
  "ownerId": "<application>",
  "ownerType": "application",
  "name": "of a test",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "scope": ["all.Application.read"],
  "status": "active",
  "_type": "applicationApiToken",
  "_actions": {
    "delete": {
      "href": "/applications/<application>/tokens/<token of the application>",
      "method": "DELETE",
      "params": ["withChildren"]
    },
    "get": {"href":"/applications/<application>/tokens/<token of the application>","method":"GET"},
    "patch": {
      "href": "/applications/<application>/tokens/<token of the application>",
      "method": "PATCH",
      "params": ["apiToken"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/tokens/<token of the application>"}}
}"#,
    },
    Shown {
        action: "applicationApiToken.patch",
        query: "",
        body: r#"{ "description": "changed" }"#,
        answer: r#"200 {
  "id": "<token of the application>",
  "apiTokenId": "<token of the application>",
  "ownerId": "<application>",
  "ownerType": "application",
  "name": "of a test",
  "description": "changed",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:23.000Z",
  "scope": ["all.Application.read"],
  "status": "active",
  "_type": "applicationApiToken",
  "_actions": {
    "delete": {
      "href": "/applications/<application>/tokens/<token of the application>",
      "method": "DELETE",
      "params": ["withChildren"]
    },
    "get": {"href":"/applications/<application>/tokens/<token of the application>","method":"GET"},
    "patch": {
      "href": "/applications/<application>/tokens/<token of the application>",
      "method": "PATCH",
      "params": ["apiToken"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/tokens/<token of the application>"}}
}"#,
    },
    Shown {
        action: "applicationApiToken.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "experienceGroups.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<group>",
      "experienceGroupId": "<group>",
      "applicationId": "<application>",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:00.000Z",
      "name": "Staff",
      "experienceUserIds": ["<user>"],
      "experienceEndpointIds": [],
      "groupTags": {},
      "deviceIds": [],
      "deviceTags": [],
      "parentId": null,
      "ancestorIds": [],
      "_type": "experienceGroup",
      "_actions": {
        "delete": {"href":"/applications/<application>/experience/groups/<group>","method":"DELETE"},
        "get": {
          "href": "/applications/<application>/experience/groups/<group>",
          "method": "GET",
          "params": ["excludeMembers","includeDirectDeviceCount","includeTotalDeviceCount"]
        },
        "patch": {
          "href": "/applications/<application>/experience/groups/<group>",
          "method": "PATCH",
          "params": ["experienceGroup"]
        }
      },
      "_links": {"self":{"href":"/applications/<application>/experience/groups/<group>"}}
    }
  ],
  "applicationId": "<application>",
  "perPage": 100,
  "page": 0,
  "sortField": "name",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "experienceGroups",
  "_actions": {
    "get": {
      "href": "/applications/<application>/experience/groups",
      "method": "GET",
      "params": [
        "sortField",
        "sortDirection",
        "page",
        "perPage",
        "cursor",
        "filterField",
        "filter",
        "parentId",
        "excludeMembers",
        "query"
      ]
    },
    "post": {
      "href": "/applications/<application>/experience/groups",
      "method": "POST",
      "params": ["experienceGroup"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/groups"}}
}"#,
    },
    Shown {
        action: "experienceGroups.post",
        query: "",
        body: r#"{ "name": "made" }"#,
        answer: r#"201 {
  "id": "<new>",
  "experienceGroupId": "<new>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:26.000Z",
  "lastUpdated": "2026-06-21T00:00:26.000Z",
  "name": "made",
  "experienceUserIds": [],
  "experienceEndpointIds": [],
  "groupTags": {},
  "deviceIds": [],
  "deviceTags": [],
  "parentId": null,
  "ancestorIds": [],
  "_type": "experienceGroup",
  "_actions": {
    "delete": {"href":"/applications/<application>/experience/groups/<new>","method":"DELETE"},
    "get": {
      "href": "/applications/<application>/experience/groups/<new>",
      "method": "GET",
      "params": ["excludeMembers","includeDirectDeviceCount","includeTotalDeviceCount"]
    },
    "patch": {
      "href": "/applications/<application>/experience/groups/<new>",
      "method": "PATCH",
      "params": ["experienceGroup"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/groups/<new>"}}
}"#,
    },
    Shown {
        action: "experienceGroup.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<group>",
  "experienceGroupId": "<group>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "name": "Staff",
  "experienceUserIds": ["<user>"],
  "experienceEndpointIds": [],
  "groupTags": {},
  "deviceIds": [],
  "deviceTags": [],
  "parentId": null,
  "ancestorIds": [],
  "_type": "experienceGroup",
  "_actions": {
    "delete": {"href":"/applications/<application>/experience/groups/<group>","method":"DELETE"},
    "get": {
      "href": "/applications/<application>/experience/groups/<group>",
      "method": "GET",
      "params": ["excludeMembers","includeDirectDeviceCount","includeTotalDeviceCount"]
    },
    "patch": {
      "href": "/applications/<application>/experience/groups/<group>",
      "method": "PATCH",
      "params": ["experienceGroup"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/groups/<group>"}}
}"#,
    },
    Shown {
        action: "experienceGroup.patch",
        query: "",
        body: r#"{ "description": "changed" }"#,
        answer: r#"200 {
  "id": "<group>",
  "experienceGroupId": "<group>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:28.000Z",
  "name": "Staff",
  "description": "changed",
  "experienceUserIds": ["<user>"],
  "experienceEndpointIds": [],
  "groupTags": {},
  "deviceIds": [],
  "deviceTags": [],
  "parentId": null,
  "ancestorIds": [],
  "_type": "experienceGroup",
  "_actions": {
    "delete": {"href":"/applications/<application>/experience/groups/<group>","method":"DELETE"},
    "get": {
      "href": "/applications/<application>/experience/groups/<group>",
      "method": "GET",
      "params": ["excludeMembers","includeDirectDeviceCount","includeTotalDeviceCount"]
    },
    "patch": {
      "href": "/applications/<application>/experience/groups/<group>",
      "method": "PATCH",
      "params": ["experienceGroup"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/groups/<group>"}}
}"#,
    },
    Shown {
        action: "experienceUsers.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<user>",
      "experienceUserId": "<user>",
      "applicationId": "<application>",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:00.000Z",
      "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
      "email": "ann@example.com",
      "firstName": "Ann",
      "avatarUrl": "https://secure.gravatar.com/avatar/257c57037d384ae37ea27a07e8a01665?d=retro&s=240",
      "userTags": {"plan":"gold"},
      "experienceGroups": [{"id":"<group>","name":"Staff","parentId":null}],
      "_type": "experienceUser",
      "_actions": {
        "delete": {"href":"/applications/<application>/experience/users/<user>","method":"DELETE"},
        "get": {"href":"/applications/<application>/experience/users/<user>","method":"GET"},
        "patch": {
          "href": "/applications/<application>/experience/users/<user>",
          "method": "PATCH",
          "params": ["experienceUser"]
        }
      },
      "_links": {"self":{"href":"/applications/<application>/experience/users/<user>"}}
    }
  ],
  "applicationId": "<application>",
  "perPage": 100,
  "page": 0,
  "sortField": "email",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "experienceUsers",
  "_actions": {
    "get": {
      "href": "/applications/<application>/experience/users",
      "method": "GET",
      "params": [
        "sortField",
        "sortDirection",
        "page",
        "perPage",
        "cursor",
        "filterField",
        "filter",
        "experienceGroupId",
        "includeAncestorGroups",
        "query",
        "search"
      ]
    },
    "post": {
      "href": "/applications/<application>/experience/users",
      "method": "POST",
      "params": ["experienceUser"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/users"}}
}"#,
    },
    Shown {
        action: "experienceUsers.post",
        query: "",
        body: r#"{ "email": "bob@example.com", "password": "PASSWORD" }"#,
        answer: r#"201 {
  "id": "<new>",
  "experienceUserId": "<new>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:30.000Z",
  "lastUpdated": "2026-06-21T00:00:30.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:30.000Z",
  "email": "bob@example.com",
  "avatarUrl": "https://secure.gravatar.com/avatar/4b9bb80620f03eb3719e0a061c14283d?d=retro&s=240",
  "userTags": {},
  "experienceGroups": [],
  "_type": "experienceUser",
  "_actions": {
    "delete": {"href":"/applications/<application>/experience/users/<new>","method":"DELETE"},
    "get": {"href":"/applications/<application>/experience/users/<new>","method":"GET"},
    "patch": {
      "href": "/applications/<application>/experience/users/<new>",
      "method": "PATCH",
      "params": ["experienceUser"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/users/<new>"}}
}"#,
    },
    Shown {
        action: "experienceUser.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<user>",
  "experienceUserId": "<user>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
  "email": "ann@example.com",
  "firstName": "Ann",
  "avatarUrl": "https://secure.gravatar.com/avatar/257c57037d384ae37ea27a07e8a01665?d=retro&s=240",
  "userTags": {"plan":"gold"},
  "experienceGroups": [{"id":"<group>","name":"Staff","parentId":null}],
  "_type": "experienceUser",
  "_actions": {
    "delete": {"href":"/applications/<application>/experience/users/<user>","method":"DELETE"},
    "get": {"href":"/applications/<application>/experience/users/<user>","method":"GET"},
    "patch": {
      "href": "/applications/<application>/experience/users/<user>",
      "method": "PATCH",
      "params": ["experienceUser"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/users/<user>"}}
}"#,
    },
    Shown {
        action: "experienceUser.patch",
        query: "",
        body: r#"{ "lastName": "Lee" }"#,
        answer: r#"200 {
  "id": "<user>",
  "experienceUserId": "<user>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:32.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
  "email": "ann@example.com",
  "firstName": "Ann",
  "lastName": "Lee",
  "avatarUrl": "https://secure.gravatar.com/avatar/257c57037d384ae37ea27a07e8a01665?d=retro&s=240",
  "userTags": {"plan":"gold"},
  "experienceGroups": [{"id":"<group>","name":"Staff","parentId":null}],
  "_type": "experienceUser",
  "_actions": {
    "delete": {"href":"/applications/<application>/experience/users/<user>","method":"DELETE"},
    "get": {"href":"/applications/<application>/experience/users/<user>","method":"GET"},
    "patch": {
      "href": "/applications/<application>/experience/users/<user>",
      "method": "PATCH",
      "params": ["experienceUser"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/users/<user>"}}
}"#,
    },
    Shown {
        action: "experienceAuth.authenticate",
        query: "",
        body: r#"{ "mode": "emailPassword", "email": "ann@example.com", "password": "PASSWORD", "maxAge": 3600000 }"#,
        answer: r#"200 {
  "experienceUser": {
    "id": "<user>",
    "experienceUserId": "<user>",
    "applicationId": "<application>",
    "creationDate": "2026-06-21T00:00:00.000Z",
    "lastUpdated": "2026-06-21T00:00:33.000Z",
    "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
    "lastLogin": "2026-06-21T00:00:33.000Z",
    "email": "ann@example.com",
    "firstName": "Ann",
    "lastName": "Lee",
    "avatarUrl": "https://secure.gravatar.com/avatar/257c57037d384ae37ea27a07e8a01665?d=retro&s=240",
    "userTags": {"plan":"gold"},
    "experienceGroups": [{"id":"<group>","name":"Staff","parentId":null}]
  },
  "token": "<token>",
  "expires": "2026-06-21T01:00:33.000Z"
}"#,
    },
    Shown {
        action: "experienceAuth.verifyToken",
        query: "",
        body: r#"{ "token": "none" }"#,
        answer: r#"200 {"active":false}"#,
    },
    Shown {
        action: "experienceAuth.verifyGroup",
        query: "",
        body: "",
        answer: r#"200 {"member":true,"through":"<group>"}"#,
    },
    Shown {
        action: "experienceUserTokens.post",
        query: "",
        body: r#"{ "maxAge": 3600000, "actor": "support" }"#,
        answer: r#"201 {"token":"<token>","expires":"2026-06-21T01:00:36.000Z"}"#,
    },
    Shown {
        action: "experienceUserTokens.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true,"tokenCutoff":"2026-06-21T00:00:37.001Z"}"#,
    },
    Shown {
        action: "experienceMails.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 0,
  "items": [],
  "applicationId": "<application>",
  "perPage": 100,
  "page": 0,
  "sortField": "creationDate",
  "sortDirection": "asc",
  "totalCount": 0,
  "_type": "experienceMails",
  "_actions": {
    "get": {
      "href": "/applications/<application>/experience/mails",
      "method": "GET",
      "params": ["sortField","sortDirection","page","perPage","cursor","filterField","filter"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/mails"}}
}"#,
    },
    Shown {
        action: "experienceInvitations.post",
        query: "",
        body: r#"{ "email": "carol@example.com", "firstName": "Carol", "linkUrl": "https://app.example.com/welcome" }"#,
        answer: r#"201 {
  "id": "<new>",
  "experienceInvitationId": "<new>",
  "applicationId": "<application>",
  "creationDate": "2026-06-21T00:00:39.000Z",
  "expirationDate": "2026-06-28T00:00:39.000Z",
  "email": "carol@example.com",
  "firstName": "Carol",
  "userTags": {},
  "experienceGroupIds": []
}"#,
    },
    Shown {
        action: "experienceInvitations.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<new>",
      "experienceInvitationId": "<new>",
      "applicationId": "<application>",
      "creationDate": "2026-06-21T00:00:39.000Z",
      "expirationDate": "2026-06-28T00:00:39.000Z",
      "email": "carol@example.com",
      "firstName": "Carol",
      "userTags": {},
      "experienceGroupIds": [],
      "_type": "experienceInvitation",
      "_actions": {
        "delete": {"href":"/applications/<application>/experience/invitations/<new>","method":"DELETE"}
      },
      "_links": {}
    }
  ],
  "applicationId": "<application>",
  "perPage": 100,
  "page": 0,
  "sortField": "creationDate",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "experienceInvitations",
  "_actions": {
    "get": {
      "href": "/applications/<application>/experience/invitations",
      "method": "GET",
      "params": ["sortField","sortDirection","page","perPage","cursor","filterField","filter"]
    },
    "post": {
      "href": "/applications/<application>/experience/invitations",
      "method": "POST",
      "params": ["experienceInvitation"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/invitations"}}
}"#,
    },
    Shown {
        action: "experienceInvitation.delete",
        query: "",
        body: "",
        answer: r#"404 {"type":"NotFound","message":"Experience invitation was not found"}"#,
    },
    Shown {
        action: "experiencePasswordResets.post",
        query: "",
        body: r#"{ "linkUrl": "https://app.example.com/password" }"#,
        answer: r#"202 {"expirationDate":"2026-06-21T01:00:42.000Z"}"#,
    },
    Shown {
        action: "experienceAddressChanges.post",
        query: "",
        body: r#"{ "email": "ann@new.example", "linkUrl": "https://app.example.com/address" }"#,
        answer: r#"202 {"expirationDate":"2026-06-22T00:00:43.000Z"}"#,
    },
    Shown {
        action: "experienceLinks.post",
        query: "",
        body: r#"{ "token": "none", "password": "PASSWORD" }"#,
        answer: r#"410 {"type":"LinkExpired","message":"The link is not good any more: ask for a new one"}"#,
    },
    Shown {
        action: "visitor.register",
        query: "",
        body: r#"{ "email": "bob@example.com" }"#,
        answer: r#"404 {"type":"NotFound","message":"Application was not found"}"#,
    },
    Shown {
        action: "visitor.forgot",
        query: "",
        body: r#"{ "email": "ann@example.com" }"#,
        answer: r#"404 {"type":"NotFound","message":"Application was not found"}"#,
    },
    Shown {
        action: "visitor.useLink",
        query: "",
        body: r#"{ "token": "none", "password": "PASSWORD" }"#,
        answer: r#"404 {"type":"NotFound","message":"Application was not found"}"#,
    },
    Shown {
        action: "experienceGroup.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "experienceUser.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "experience.bootstrap",
        query: "",
        body: "{}",
        answer: r#"200 {"resourceSuffix":"","email":"example.user@example.com","password":"<password>"}"#,
    },
    Shown { action: "experience.delete", query: "", body: "", answer: r#"200 {"success":true}"# },
    Shown {
        action: "me.changePassword",
        query: "",
        body: r#"{ "password": "PASSWORD", "newPassword": "Battery-staple-2" }"#,
        answer: r#"200 {"userId":"<administrator>","token":"<token>"}"#,
    },
    Shown {
        action: "applicationQuotas.get",
        query: "",
        body: "",
        answer: r#"200 {
  "applicationId": "<application>",
  "users": {"used":0,"own":false},
  "groups": {"used":0,"limit":10000,"own":false},
  "apiTokens": {"used":1,"own":false},
  "bytes": {"used":1024,"limit":34359738368,"own":false},
  "answerBytes": {"used":0,"limit":4294967296,"own":false},
  "_type": "applicationQuotas",
  "_actions": {
    "get": {"href":"/applications/<application>/quotas","method":"GET"},
    "patch": {
      "href": "/applications/<application>/quotas",
      "method": "PATCH",
      "params": ["applicationQuotas"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/quotas"}}
}"#,
    },
    Shown {
        action: "applicationQuotas.patch",
        query: "",
        body: r#"{ "users": 1000000 }"#,
        answer: r#"200 {
  "applicationId": "<application>",
  "users": {"used":0,"limit":1000000,"own":true},
  "groups": {"used":0,"limit":10000,"own":false},
  "apiTokens": {"used":1,"own":false},
  "bytes": {"used":1024,"limit":34359738368,"own":false},
  "answerBytes": {"used":0,"limit":4294967296,"own":false},
  "_type": "applicationQuotas",
  "_actions": {
    "get": {"href":"/applications/<application>/quotas","method":"GET"},
    "patch": {
      "href": "/applications/<application>/quotas",
      "method": "PATCH",
      "params": ["applicationQuotas"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/quotas"}}
}"#,
    },
    Shown {
        action: "administrators.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 2,
  "items": [
    {
      "id": "<administrator>",
      "administratorId": "<administrator>",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:52.000Z",
      "passwordLastUpdated": "2026-06-21T00:00:52.000Z",
      "email": "administrator@example.com",
      "fullName": "Ada",
      "status": "active",
      "_type": "administrator",
      "_actions": {
        "delete": {"href":"/administrators/<administrator>","method":"DELETE"},
        "get": {"href":"/administrators/<administrator>","method":"GET"},
        "patch": {"href":"/administrators/<administrator>","method":"PATCH","params":["administrator"]}
      },
      "_links": {"self":{"href":"/administrators/<administrator>"}}
    },
    {
      "id": "<colleague>",
      "administratorId": "<colleague>",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "lastUpdated": "2026-06-21T00:00:00.000Z",
      "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
      "email": "colleague@example.com",
      "fullName": "colleague@example.com",
      "status": "active",
      "_type": "administrator",
      "_actions": {
        "delete": {"href":"/administrators/<colleague>","method":"DELETE"},
        "get": {"href":"/administrators/<colleague>","method":"GET"},
        "patch": {"href":"/administrators/<colleague>","method":"PATCH","params":["administrator"]}
      },
      "_links": {"self":{"href":"/administrators/<colleague>"}}
    }
  ],
  "perPage": 100,
  "page": 0,
  "sortField": "email",
  "sortDirection": "asc",
  "totalCount": 2,
  "_type": "administrators",
  "_actions": {
    "get": {
      "href": "/administrators",
      "method": "GET",
      "params": ["sortField","sortDirection","page","perPage","cursor","filterField","filter"]
    }
  },
  "_links": {"self":{"href":"/administrators"}}
}"#,
    },
    Shown {
        action: "administrator.get",
        query: "",
        body: "",
        answer: r#"200 {
  "id": "<colleague>",
  "administratorId": "<colleague>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:00.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
  "email": "colleague@example.com",
  "fullName": "colleague@example.com",
  "status": "active",
  "_type": "administrator",
  "_actions": {
    "delete": {"href":"/administrators/<colleague>","method":"DELETE"},
    "get": {"href":"/administrators/<colleague>","method":"GET"},
    "patch": {"href":"/administrators/<colleague>","method":"PATCH","params":["administrator"]}
  },
  "_links": {"self":{"href":"/administrators/<colleague>"}}
}"#,
    },
    Shown {
        action: "administrator.patch",
        query: "",
        body: r#"{ "status": "inactive" }"#,
        answer: r#"200 {
  "id": "<colleague>",
  "administratorId": "<colleague>",
  "creationDate": "2026-06-21T00:00:00.000Z",
  "lastUpdated": "2026-06-21T00:00:57.000Z",
  "passwordLastUpdated": "2026-06-21T00:00:00.000Z",
  "email": "colleague@example.com",
  "fullName": "colleague@example.com",
  "status": "inactive",
  "_type": "administrator",
  "_actions": {
    "delete": {"href":"/administrators/<colleague>","method":"DELETE"},
    "get": {"href":"/administrators/<colleague>","method":"GET"},
    "patch": {"href":"/administrators/<colleague>","method":"PATCH","params":["administrator"]}
  },
  "_links": {"self":{"href":"/administrators/<colleague>"}}
}"#,
    },
    Shown {
        action: "administratorSessions.get",
        query: "",
        body: "",
        answer: r#"200 {
  "count": 1,
  "items": [
    {
      "id": "<session>",
      "sessionId": "<session>",
      "administratorId": "<colleague>",
      "creationDate": "2026-06-21T00:00:00.000Z",
      "signInDate": "2026-06-21T00:00:00.000Z",
      "scope": ["all.User"],
      "_type": "administratorSession",
      "_actions": {"delete":{"href":"/administrators/<colleague>/sessions/<session>","method":"DELETE"}},
      "_links": {}
    }
  ],
  "administratorId": "<colleague>",
  "perPage": 100,
  "page": 0,
  "sortField": "creationDate",
  "sortDirection": "asc",
  "totalCount": 1,
  "_type": "administratorSessions",
  "_actions": {
    "delete": {"href":"/administrators/<colleague>/sessions","method":"DELETE"},
    "get": {
      "href": "/administrators/<colleague>/sessions",
      "method": "GET",
      "params": ["sortField","sortDirection","page","perPage","cursor"]
    }
  },
  "_links": {"self":{"href":"/administrators/<colleague>/sessions"}}
}"#,
    },
    Shown {
        action: "administratorSession.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "administratorSessions.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "administrator.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "experienceSignIn.get",
        query: "",
        body: "",
        answer: r#"200 {
  "applicationId": "<application>",
  "publicJson": false,
  "pages": false,
  "register": false,
  "forgot": false,
  "passwordMinLength": 15,
  "breachedPasswords": "refuse",
  "locales": ["en"],
  "_type": "experienceSignIn",
  "_actions": {
    "get": {"href":"/applications/<application>/experience/signIn","method":"GET"},
    "patch": {
      "href": "/applications/<application>/experience/signIn",
      "method": "PATCH",
      "params": ["experienceSignIn"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/signIn"}}
}"#,
    },
    Shown {
        action: "experienceSignIn.patch",
        query: "",
        body: r#"{ "passwordMinLength": 20, "displayName": "Ann's" }"#,
        answer: r#"200 {
  "applicationId": "<application>",
  "publicJson": false,
  "pages": false,
  "register": false,
  "forgot": false,
  "passwordMinLength": 20,
  "breachedPasswords": "refuse",
  "displayName": "Ann's",
  "locales": ["en"],
  "_type": "experienceSignIn",
  "_actions": {
    "get": {"href":"/applications/<application>/experience/signIn","method":"GET"},
    "patch": {
      "href": "/applications/<application>/experience/signIn",
      "method": "PATCH",
      "params": ["experienceSignIn"]
    }
  },
  "_links": {"self":{"href":"/applications/<application>/experience/signIn"}}
}"#,
    },
    Shown {
        action: "experienceKeys.post",
        query: "",
        body: "{}",
        answer: r#"201 {
  "kid": "<kid>",
  "alg": "EdDSA",
  "state": "next",
  "creationDate": "2026-06-21T00:01:04.000Z",
  "signsFrom": "2026-06-21T00:11:04.000Z"
}"#,
    },
    Shown {
        action: "experienceKeys.get",
        query: "",
        body: "",
        answer: r#"200 {
  "applicationId": "<application>",
  "count": 2,
  "items": [
    {
      "kid": "<kid>",
      "alg": "EdDSA",
      "state": "next",
      "creationDate": "2026-06-21T00:01:04.000Z",
      "signsFrom": "2026-06-21T00:11:04.000Z"
    },
    {
      "kid": "<kid>",
      "alg": "EdDSA",
      "state": "current",
      "creationDate": "2026-06-21T00:00:33.000Z",
      "signsFrom": "2026-06-21T00:00:33.000Z"
    }
  ]
}"#,
    },
    Shown {
        action: "experienceKey.delete",
        query: "",
        body: "",
        answer: r#"200 {"success":true}"#,
    },
    Shown {
        action: "experienceUserTokens.postForEmailOrId",
        query: "",
        body: r#"{ "emailOrId": "nobody@example.com" }"#,
        answer: r#"200 {"token":null}"#,
    },
    Shown { action: "application.delete", query: "", body: "", answer: r#"200 {"success":true}"# },
];
